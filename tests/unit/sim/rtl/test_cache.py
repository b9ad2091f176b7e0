# SPDX-License-Identifier: BSD-2-Clause

"""The cache of compiled models: each file is made once, and appears whole."""

import _ctypes
import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from dualgate.contract.errors import DeviceError, InputError
from dualgate_sim.rtl import cache
from dualgate_sim.rtl.cache import absent, keep
from dualgate_sim.rtl.verilated import load

WHOLE = Path(_ctypes.__file__).read_bytes()
"""A library that somebody else compiled."""


def test_a_file_that_another_process_makes_is_waited_for(tmp_path: Path) -> None:
    target, made = tmp_path / "cache" / "engine.so", tmp_path / "made"
    made.write_bytes(WHOLE)
    begun = Event()

    def look() -> bool:
        begun.set()
        with absent(target) as needed:
            return needed

    with ThreadPoolExecutor(1) as pool:
        with absent(target) as needed:
            assert needed
            other = pool.submit(look)
            assert begun.wait(120)
            keep(made, target)
        assert not other.result(120)
    assert target.read_bytes() == WHOLE
    assert sorted(path.suffix for path in target.parent.iterdir()) == [".lock", ".so"]


def test_a_file_whose_making_failed_is_still_absent(tmp_path: Path) -> None:
    target = tmp_path / "engine.so"
    with pytest.raises(OSError, match="no compiler"), absent(target):
        raise OSError("no compiler")
    with absent(target) as needed:
        assert needed


@pytest.mark.parametrize("size", [0, 10, 64, 4096, len(WHOLE) - 1])
def test_a_library_that_was_cut_off_is_made_again(tmp_path: Path, size: int) -> None:
    target, made = tmp_path / "engine.so", tmp_path / "made"
    made.write_bytes(WHOLE)
    target.write_bytes(WHOLE[:size])
    with absent(target) as needed:
        assert needed
        keep(made, target)
    with absent(target) as needed:
        assert not needed
    load(target)


def test_a_damaged_library_is_named_and_removed(tmp_path: Path) -> None:
    target = tmp_path / "engine.so"
    target.write_bytes(bytes(4096))
    with pytest.raises(DeviceError, match=r"cannot load the simulator .*engine\.so: .*run the"):
        load(target)
    assert not target.exists()


def test_a_cache_below_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "dualgate" / "engine.so"
    with pytest.raises(InputError, match=r"^cannot write the cache: .*Not a directory; set XDG_CA"):
        absent(target).__enter__()


def test_a_full_disk_leaves_no_part_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, made = tmp_path / "engine.so", tmp_path / "made"
    made.write_bytes(WHOLE)

    def half(source: Path, beside: Path) -> None:
        beside.write_bytes(WHOLE[:99])
        raise OSError(errno.ENOSPC, "No space left on device", str(source))

    monkeypatch.setattr(cache, "copy_synced", half)
    with pytest.raises(InputError, match=rf"{target}: No space left on device; set XDG_CACHE"):
        keep(made, target)
    assert list(tmp_path.iterdir()) == [made]


def test_what_a_killed_process_copied_is_removed_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "engine-1.so"
    others = [tmp_path / name for name in ("engine-1.so", "engine-12.77", "engine-1.log")]
    for path in (tmp_path / "engine-1.77", tmp_path / "engine-1.8", *others[1:]):
        path.touch()
    with absent(target):
        target.write_bytes(WHOLE)
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "engine-1.lock"])


def test_a_file_is_synced_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, made = tmp_path / "engine.so", tmp_path / "made"
    made.write_bytes(WHOLE)
    seen: list[bool] = []
    monkeypatch.setattr(os, "fsync", lambda fd: seen.append(target.exists()))
    keep(made, target)
    assert seen == [False]


def test_a_cache_that_cannot_be_written_still_serves_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(target: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(target))

    monkeypatch.setattr(cache, "_open_lock", refuse)
    (tmp_path / "there.so").write_bytes(WHOLE)
    with absent(tmp_path / "there.so") as needed:
        assert not needed
    with pytest.raises(InputError, match=r"missing\.so: Read-only file system; set XDG_CACHE_HOME"):
        absent(tmp_path / "missing.so").__enter__()
