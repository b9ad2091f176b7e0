# SPDX-License-Identifier: BSD-2-Clause

"""The cache and the temporary directory: where they are, and what if they cannot be written."""

import errno
import tempfile
from pathlib import Path

import pytest

from dualgate.contract.errors import InputError
from dualgate.data.directories import cache_directory, ready_cache, workspace


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
