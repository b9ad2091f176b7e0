# SPDX-License-Identifier: BSD-2-Clause

"""Files: whole or not at all, and refused before work starts."""

import os
from pathlib import Path

import pytest

from dualgate.contract.errors import InputError
from dualgate.data.files import check_target, replace_file


def test_a_file_and_its_directories_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.txt"
    check_target(path)
    assert list(tmp_path.iterdir()) == []
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [child.name for child in path.parent.iterdir()] == ["c.txt"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    replace_file(tmp_path / "link", b"one")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_bytes() == b"one"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("folder", "it is not a file"),
        ("file/x", ".*file is not a directory"),
        ("file/x/y", ".*file is not a directory"),
        ("pipe", "it is not a file"),
        ("loop", "its links lead in a circle"),
        ("loop/x", "its links lead in a circle"),
        ("a" * 300, "File name too long"),
    ],
)
def test_a_target_that_cannot_be_written_is_refused(
    tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for attempt in (check_target, lambda path: replace_file(path, b"new")):
        with pytest.raises(InputError, match=f"^cannot write .*: {message}; choose another path$"):
            attempt(tmp_path / name)
    assert (tmp_path / "file").read_bytes() == b"old"


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"^cannot write .*x: No space left on device"):
        replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["x"]
