# SPDX-License-Identifier: BSD-2-Clause

"""The IDX reader: files of any type and shape, and damaged ones."""

import gzip
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from support.idx_files import idx_bytes

from dualgate.contract.errors import InputError
from dualgate.data.bounds import MOST_BYTES
from dualgate.data.idx import TYPES, is_idx, read_idx


def header(code: int, *sizes: int) -> bytes:
    return bytes([0, 0, code, len(sizes)]) + b"".join(n.to_bytes(4, "big") for n in sizes)


def written(folder: Path, content: bytes, name: str = "x") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@given(
    arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, max_side=5)),
    st.booleans(),
    st.sampled_from(["x", "x.gz"]),
)
def test_an_idx_file_is_read_back_whatever_its_name(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[np.uint8], compressed: bool, name: str
) -> None:
    content = idx_bytes(array)
    content = gzip.compress(content) if compressed else content
    path = written(tmp_path_factory.mktemp("idx"), content, name)
    assert is_idx(path)
    assert (read_idx(path) == array).all()


@pytest.mark.parametrize(("code", "kind"), list(TYPES.items()))
def test_every_type_of_numbers_is_read(tmp_path: Path, code: int, kind: str) -> None:
    numbers = np.array([[1, 2, 3], [100, 120, 127]], kind)
    got = read_idx(written(tmp_path, header(code, 2, 3) + numbers.tobytes()))
    assert got.dtype == np.dtype(kind)
    assert (got == numbers).all()


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(lambda b: b"\0\0\x08\1" + b)))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("idx")
    for each in (content, gzip.compress(content), b"\x1f\x8b" + content):
        path = written(folder, each)
        is_idx(path)
        with suppress(InputError):
            read_idx(path)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header(8, *[1] * 65) + b"1", "has 65 dimensions; give 1 to 8$"),
        (header(8), "has 0 dimensions"),
        (header(8, 0, 2**32 - 1), r"has shape \(0, 4294967295\), so no numbers"),
        (header(8, MOST_BYTES + 1), "claims 1.1 GB, more than the 1.1 GB that are read"),
        (header(14, 2**32 - 1, 2**32 - 1), r"claims 147573952\.5 TB, more than"),
        (header(7, 3) + b"123", "is not an IDX file; get the file again$"),
        (header(8, 3) + b"1234", "has more than 3 bytes of numbers and should have 3"),
        (header(8, 3) + b"12", "has 2 bytes of numbers and should have 3"),
        (header(8, 3)[:6], "ends in its header"),
        (b"", "is not an IDX file"),
    ],
)
def test_a_wrong_header_is_refused_in_little_memory(
    tmp_path: Path, content: bytes, message: str, compressed: bool
) -> None:
    path = written(tmp_path, gzip.compress(content) if compressed else content)
    tracemalloc.start()
    with pytest.raises(InputError, match=message):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_no_more_is_decompressed_than_the_header_claims(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(header(8, 3) + bytes(300_000_000), 1))
    tracemalloc.start()
    with pytest.raises(InputError, match="has more than 3 bytes"):
        read_idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


def test_a_missing_file_is_no_idx_and_is_refused(tmp_path: Path) -> None:
    assert not is_idx(tmp_path / "none")
    with pytest.raises(InputError, match=r"^cannot read .*none: No such file or directory; get"):
        read_idx(tmp_path / "none")
