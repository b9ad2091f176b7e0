# SPDX-License-Identifier: BSD-2-Clause

"""The IDX reader: files of any shape, and damaged ones."""

import gzip
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from support.idx_files import idx_bytes, write_images

from dualgate.contract.errors import InputError
from dualgate.data.idx import load_idx, read_idx


@given(arrays.arrays(np.uint8, arrays.array_shapes(max_dims=3, max_side=5)), st.booleans())
def test_an_idx_file_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[np.uint8], compressed: bool
) -> None:
    content = idx_bytes(array)
    path = tmp_path_factory.mktemp("idx") / ("x.gz" if compressed else "x")
    path.write_bytes(gzip.compress(content) if compressed else content)
    assert (read_idx(path) == array).all()


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    folder = tmp_path_factory.mktemp("idx")
    for name in ("x", "x.gz"):
        (folder / name).write_bytes(content)
        with suppress(InputError):
            read_idx(folder / name)


@pytest.mark.parametrize("dotted", [False, True])
@pytest.mark.parametrize("compressed", [False, True])
def test_both_spellings_are_found(tmp_path: Path, dotted: bool, compressed: bool) -> None:
    data = load_idx(write_images(tmp_path, dotted, compressed), "MNIST", "a package")
    assert data.train.x.shape == (50, 784)
    assert data.held_out.x.shape == (20, 784)
    assert data.train.x.max() == 1.0
    assert data.held_out.labels is not None
    assert data.held_out.labels.tolist() == [i % 10 for i in range(20)]


def test_a_missing_directory_says_where_files_can_be_had(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^MNIST: no directory given; give --data .* a package$"):
        load_idx(None, "MNIST", "a package")
    with pytest.raises(InputError, match=r"^MNIST: no directory .*nowhere; give --data"):
        load_idx(tmp_path / "nowhere", "MNIST", "a package")
    with pytest.raises(InputError, match=r"^there is no train-images-idx3-ubyte\[.gz\] in"):
        load_idx(tmp_path, "MNIST", "a package")


def damage(path: Path, content: bytes) -> None:
    assert path.exists()
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train-images-idx3-ubyte", b"", "is not an IDX file"),
        ("train-images-idx3-ubyte", b"\0\0\x0d\1\0\0\0\0", "is not an IDX file"),
        ("train-images-idx3-ubyte", b"\0\0\x08\3\0\0", "has 6 bytes and should have"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((20, 28, 28), np.uint8))[:-1], "15695 bytes"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((20, 8, 8), np.uint8)), "has shape"),
        ("t10k-images-idx3-ubyte", idx_bytes(np.zeros((0, 28, 28), np.uint8)), "has shape"),
        ("t10k-labels-idx1-ubyte", idx_bytes(np.zeros(19, np.uint8)), "has 19 labels for 20"),
        ("t10k-labels-idx1-ubyte", idx_bytes(np.zeros((20, 1), np.uint8)), "has 20 labels for 20"),
        (
            "t10k-labels-idx1-ubyte",
            idx_bytes(np.full(20, 10, np.uint8)),
            "label 10 of sample 0 is out of range 0 to 9",
        ),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    write_images(tmp_path)
    damage(tmp_path / name, content)
    with pytest.raises(InputError, match=f"{name}.*{message}"):
        load_idx(tmp_path, "MNIST", "a package")


@pytest.mark.parametrize("cut", [5, 30, 1000])
def test_a_truncated_archive_is_named(tmp_path: Path, cut: int) -> None:
    write_images(tmp_path, compressed=True)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    damage(path, path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"compressed data is damaged; get the file again$"):
        load_idx(tmp_path, "MNIST", "a package")
