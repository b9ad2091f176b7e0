# SPDX-License-Identifier: BSD-2-Clause

"""Builds are kept whole or not at all."""

from pathlib import Path

import pytest

from dualgate.data.directories import PREFIX
from dualgate_hw.build.cache import Cache


def test_a_kept_build_comes_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = Cache("ab" * 32, (1, 2))
    made, back = tmp_path / "made", tmp_path / "back"
    made.mkdir()
    files = [made / "top.bit", made / "result.json"]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]))
    assert not cache.restore(back, "result.json")
    cache.keep(files)
    cache.keep(files)
    assert cache.restore(back, "result.json")
    assert [(back / path.name).read_bytes() for path in files] == [b"\x00", b"\x01"]
    assert not Cache("ab" * 32, (1,)).restore(back, "result.json")
    assert [path.name for path in cache.path.parent.iterdir()] == [cache.path.name]


def test_a_copy_that_stops_halfway_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "top.bit").touch()
    cache = Cache("ab" * 32, (1,))
    cache.keep([tmp_path / "top.bit", tmp_path / "missing"])
    assert not cache.restore(tmp_path / "back", "result.json")
    assert not list(cache.path.parent.iterdir())


def test_what_a_killed_process_copied_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = Cache("ab" * 32, (1,))
    left = cache.path.parent / f"{PREFIX}left" / cache.path.name
    left.mkdir(parents=True)
    (left / "top.bit").touch()
    (tmp_path / "top.bit").touch()
    cache.keep([tmp_path / "top.bit"])
    assert list(cache.path.parent.iterdir()) == [cache.path]


def test_a_restored_directory_is_open_to_whom_a_new_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache, back = Cache("ab" * 32, (1,)), tmp_path / "back"
    (tmp_path / "result.json").touch()
    cache.keep([tmp_path / "result.json"])
    back.mkdir()
    before = back.stat().st_mode
    assert cache.restore(back, "result.json")
    assert back.stat().st_mode == before
