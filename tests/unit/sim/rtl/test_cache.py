# SPDX-License-Identifier: BSD-2-Clause

"""The cache of compiled models: each file is made once, and appears whole."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from dualgate_sim.rtl.cache import absent, cache_directory, keep


def test_the_directory_follows_the_user_s_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "dualgate"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "dualgate"


def test_a_file_that_another_process_makes_is_waited_for(tmp_path: Path) -> None:
    target, made = tmp_path / "cache" / "engine.so", tmp_path / "made"
    made.write_text("whole")
    begun = Event()

    def look() -> bool:
        begun.set()
        with absent(target) as needed:
            return needed

    with ThreadPoolExecutor(1) as pool:
        with absent(target) as needed:
            assert needed
            other = pool.submit(look)
            assert begun.wait(10)
            keep(made, target)
        assert not other.result(10)
    assert target.read_text() == "whole"
    assert sorted(path.suffix for path in target.parent.iterdir()) == [".lock", ".so"]


def test_a_file_whose_making_failed_is_still_absent(tmp_path: Path) -> None:
    target = tmp_path / "engine.so"
    with pytest.raises(OSError, match="no compiler"), absent(target):
        raise OSError("no compiler")
    with absent(target) as needed:
        assert needed
