# SPDX-License-Identifier: BSD-2-Clause

"""Builds are kept whole or not at all."""

from pathlib import Path

import pytest

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
