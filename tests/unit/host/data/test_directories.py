# SPDX-License-Identifier: BSD-2-Clause

"""The cache and the temporary directory: where they are, and what if they cannot be written."""

import errno
import fcntl
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from dualgate.contract.errors import InputError
from dualgate.data.directories import PREFIX, cache_directory, ready_cache, workspace


def test_the_cache_follows_the_user_s_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert ready_cache() == cache_directory() == tmp_path / "dualgate"
    assert (tmp_path / "dualgate").is_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_directory() == Path.home() / ".cache" / "dualgate"


def test_a_user_without_a_home_is_told_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def nobody(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", nobody)
    with pytest.raises(InputError, match="no home directory is known for the cache; set XDG_CACH"):
        cache_directory()


def test_a_cache_that_is_a_file_is_named_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cache: .*/file/dualgate: Not a directory; set XDG_CAC"):
        ready_cache()


def test_a_workspace_is_removed_also_after_an_error() -> None:
    with pytest.raises(KeyboardInterrupt), workspace() as work:
        raise KeyboardInterrupt
    assert not work.exists()


HOLD = """
import sys
from pathlib import Path
from dualgate.data.directories import workspace
with workspace(Path(sys.argv[1])) as work:
    (work / "file").touch()
    print(work, flush=True)
    sys.stdin.read()
"""


def test_a_workspace_of_a_killed_process_is_removed_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        left = Path(process.stdout.readline().strip())
        with workspace(tmp_path):
            assert (left / "file").exists()
        process.kill()
    assert left.exists()
    with workspace(tmp_path) as work:
        assert list(tmp_path.iterdir()) == [work]
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_an_abandoned_workspace_is_removed(tmp_path: Path) -> None:
    for name in ("dualgate", "dualgate-workspace", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / f"{PREFIX}file").touch()
    (tmp_path / "elsewhere" / "mine").touch()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.rglob("*"))
    with workspace(tmp_path):
        pass
    assert sorted(tmp_path.rglob("*")) == before


def test_a_workspace_that_was_taken_for_abandoned_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Path] = []

    def lock(file: int, how: int) -> None:
        if not taken:
            taken.extend(tmp_path.iterdir())
            taken[0].rmdir()

    monkeypatch.setattr(fcntl, "flock", lock)
    with workspace(tmp_path) as work:
        assert list(tmp_path.iterdir()) == [work] != taken


def test_a_file_system_without_locks_has_workspaces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock(file: int, how: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", lock)
    with workspace(tmp_path) as one, workspace(tmp_path) as other:
        assert sorted(tmp_path.iterdir()) == sorted([one, other])


def test_no_temporary_directory_is_an_error_that_names_tmpdir(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/proc/nowhere"])
    with pytest.raises(InputError, match=r"No usable temporary directory .*; set TMPDIR"):
        workspace().__enter__()


def test_a_full_temporary_disk_is_an_error_that_names_tmpdir() -> None:
    full = OSError(errno.ENOSPC, "No space left on device", "x")
    with pytest.raises(InputError, match="file x: No space left on device; set TMP"), workspace():
        raise full
    unnamed = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(InputError, match=f"file {tempfile.gettempdir()}: No space"), workspace():
        raise unnamed
