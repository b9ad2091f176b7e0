# SPDX-License-Identifier: BSD-2-Clause

"""Bounds of files: their messages name a size that is enough, and archives keep to theirs."""

import re
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.errors import InputError
from dualgate.data.bounds import SizeError, check_claim, parse_size, shown_size
from dualgate.data.zips import MOST_DIRECTORY, find_entry, open_zip


@given(st.integers(1, 1 << 60), st.integers(1, 1 << 40), st.sampled_from([1, 4, 64, 2048]))
def test_a_claim_passes_by_the_size_that_its_refusal_names(
    claimed: int, most: int, factor: int
) -> None:
    try:
        check_claim("x", claimed, most, factor)
    except SizeError as error:
        assert claimed * factor > most
        found = re.search(r"give --max-file-size (\S+)$", str(error))
        assert found is not None
        check_claim("x", claimed, parse_size(found[1]), factor)
    else:
        assert claimed * factor <= most


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1000", 1000), ("500MB", 5 * 10**8), ("2.5 gb", 2_500_000_000), (" 3k ", 3000)],
)
def test_sizes_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "many", "1e9", "1 XB", "²", "9" * 30, "1.GB", "inf"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"^size '.*': give a number of bytes such as 500MB or"):
        parse_size(text)


def test_sizes_are_shown_in_the_unit_that_suits() -> None:
    assert [shown_size(n) for n in (7, 1500, 1 << 30)] == ["7.0 B", "1.5 kB", "1.1 GB"]
    assert shown_size(1_000_000_001, up=True) == "1.1GB"


def archive(path: Path, entries: int, comment: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(entries):
            file.writestr(f"{number:0100}.npy", b"")
        file.comment = comment
    return path


@pytest.mark.parametrize("comment", [b"", b"x" * 60000])
def test_a_long_directory_is_refused_wherever_it_is(tmp_path: Path, comment: bytes) -> None:
    size = 46 + 104
    open_zip(archive(tmp_path / "x", 10, comment)).close()
    with pytest.raises(zipfile.BadZipFile):
        open_zip(archive(tmp_path / "x", MOST_DIRECTORY // size + 1, comment))


def test_the_long_record_of_a_long_archive_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    open_zip(archive(tmp_path / "x", 10)).close()
    path = archive(tmp_path / "x", MOST_DIRECTORY // 150 + 1)
    content = bytearray(path.read_bytes())
    content[-10:-6] = (1000).to_bytes(4, "little")  # in the short record, which does not count
    path.write_bytes(content)
    with pytest.raises(zipfile.BadZipFile):
        open_zip(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("told", [100, 127, 10_000])
def test_no_more_is_read_than_the_directory_says(tmp_path: Path, method: int, told: int) -> None:
    with zipfile.ZipFile(tmp_path / "x", "w", method) as file, file.open("a.npy", "w") as entry:
        np.save(entry, np.zeros(100))
    content = bytearray((tmp_path / "x").read_bytes())
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = told.to_bytes(4, "little")
    (tmp_path / "x").write_bytes(content)
    with (
        open_zip(tmp_path / "x") as found,
        pytest.raises((EOFError, ValueError, zipfile.BadZipFile, zlib.error)),
    ):
        np.asarray(find_entry(found, "a.npy"))


def test_other_methods_of_compression_are_refused(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "x", "w", zipfile.ZIP_LZMA) as file,
        file.open("a", "w") as entry,
    ):
        np.save(entry, np.zeros(100))
    with open_zip(tmp_path / "x") as found, pytest.raises(zipfile.BadZipFile):
        find_entry(found, "a")
