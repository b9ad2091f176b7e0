# SPDX-License-Identifier: BSD-2-Clause

"""Arrays of numpy: names of inputs and targets, objects, damage, and sizes that are claimed."""

import io
import os
import pickle
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.effort import examples

from dualgate.contract.errors import InputError
from dualgate.data.arrays import read_npy, read_npz

X, Y = np.arange(6.0).reshape(2, 3), np.array([1, 0])


def npy(array: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def claim(header: str) -> bytes:
    """Make a .npy file of a header alone."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\0" + len(text).to_bytes(2, "little") + text


def numbers(shape: str) -> bytes:
    return claim(f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}")


def written(folder: Path, content: bytes, name: str = "x.npy") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def packed(folder: Path, **members: bytes) -> Path:
    path = folder / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


class Trap:
    """An object whose pickle makes a directory when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@given(
    arrays.arrays(
        st.sampled_from(["u1", "<i2", ">i4", "<f4", ">f8", "?", "<U3", "S2"]),
        arrays.array_shapes(max_dims=3, max_side=4),
    ),
    st.booleans(),
)
def test_an_array_is_read_as_numpy_reads_it(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, fortran: bool
) -> None:
    content = npy(np.asfortranarray(array) if fortran else array)
    got = read_npy(written(tmp_path_factory.mktemp("a"), content))
    assert got.dtype == array.dtype
    np.testing.assert_array_equal(got, array)


@pytest.mark.parametrize(
    "names",
    [("x", "y"), ("X", "y"), ("data", "target"), ("images", "labels"), ("my_inputs", "label")],
)
def test_usual_names_of_inputs_and_targets_are_known(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    np.savez(tmp_path / "x.npz", **{names[1]: Y, names[0]: X})
    got = read_npz(tmp_path / "x.npz", None)
    assert set(got) == {"x", "y"}
    np.testing.assert_array_equal(got["x"], X)
    np.testing.assert_array_equal(got["y"], Y)


@pytest.mark.parametrize(
    "names",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("X_train", "y_train", "X_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_held_out_arrays_are_found_beside_those_of_training(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    values = (X, Y, X + 10, Y + 10)
    np.savez_compressed(tmp_path / "x.npz", **dict(zip(names, values, strict=True)))
    got = read_npz(tmp_path / "x.npz", None)
    assert list(got) == ["x", "y", "x_test", "y_test"]
    for array, value in zip(got.values(), values, strict=True):
        np.testing.assert_array_equal(array, value)


def test_targets_are_chosen_by_name(tmp_path: Path) -> None:
    path = packed(tmp_path, x=npy(X), y=npy(Y), weight=npy(Y + 5))
    assert read_npz(path, "weight")["y"].tolist() == [6, 5]
    with pytest.raises(InputError, match=r"unknown array 'wieght', did you mean weight\?"):
        read_npz(path, "wieght")


def test_inputs_alone_are_read_where_targets_are_not_needed(tmp_path: Path) -> None:
    path = packed(tmp_path, x=npy(X))
    assert list(read_npz(path, "label", need_target=False)) == ["x"]


def test_arrays_of_unclear_names_are_listed(tmp_path: Path) -> None:
    path = packed(tmp_path, one=npy(X), two=npy(X))
    with pytest.raises(InputError, match=r"has the arrays one, two; call that of the inputs x"):
        read_npz(path, None)


def test_arrays_that_nobody_asks_for_are_not_read(tmp_path: Path) -> None:
    trap = npy(np.array([Trap(tmp_path / "trap")], object))
    path = packed(tmp_path, x=npy(X), y=npy(Y), other=trap, damaged=b"nothing")
    assert set(read_npz(path, None)) == {"x", "y"}
    assert not (tmp_path / "trap").exists()


def test_objects_are_refused_and_never_unpickled(tmp_path: Path) -> None:
    content = npy(np.array([Trap(tmp_path / "trap")], object))
    with pytest.raises(InputError, match=r"^x.npy holds Python objects, which may run code; save"):
        read_npy(written(tmp_path, content))
    with pytest.raises(InputError, match=r"^x.npz: x holds Python objects"):
        read_npz(packed(tmp_path, x=content), None)
    with pytest.raises(InputError, match=r"^cannot read .*; save it again with numpy$"):
        read_npy(written(tmp_path, pickle.dumps(Trap(tmp_path / "trap"))))
    assert not (tmp_path / "trap").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (numbers("(1000000, 1000)"), "claims 8.0 GB, more than the 1.1 GB that are read"),
        (numbers("(99999999999999999999,)"), "TB, more than the 1.1 GB"),
        (numbers("(100000000,)"), "is damaged"),
        (numbers("(-1,)") + bytes(8), r"shape \(-1,\), so no samples"),
        (numbers("(0, 5)"), r"shape \(0, 5\), so no samples"),
        (numbers("()") + bytes(8), r"shape \(\), so no samples"),
        (numbers("(2,)") + bytes(8), "is damaged"),
        (claim("{'descr': '<U0', 'fortran_order': False, 'shape': (9,)}"), "is damaged"),
        (claim("{" * 9000), "is damaged"),
        (claim("-" * 9000), "is damaged"),
        (claim("'''"), "is damaged"),
        (b"\x93NUMPY\x09\0", "is damaged"),
        (b"", "is damaged"),
    ],
)
def test_what_is_no_array_is_refused_in_little_memory(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path, archive = written(tmp_path, content), packed(tmp_path, x=content)
    tracemalloc.start()
    with pytest.raises(InputError, match=message):
        read_npy(path)
    with pytest.raises(InputError, match=message):
        read_npz(archive, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_headers_that_python_2_wrote_are_read(tmp_path: Path) -> None:
    content = claim("{'descr': '<f8', 'fortran_order': False, 'shape': (1L,)}") + bytes(8)
    assert read_npy(written(tmp_path, content)).tolist() == [0.0]


def test_a_spreadsheet_is_no_archive_of_arrays(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    with pytest.raises(InputError, match=r"zip archive without arrays \(or a spreadsheet\)"):
        read_npz(tmp_path / "x.xlsx", None)


@examples(200)
@given(st.data())
def test_damage_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("a")
    path = packed(folder, x=npy(X), y=npy(Y))
    for read, content in ((read_npy, npy(X)), (lambda p: read_npz(p, None), path.read_bytes())):
        changed = bytearray(content)
        for _ in range(data.draw(st.integers(1, 4))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        kept = data.draw(st.integers(0, len(changed)) | st.just(len(changed)))
        with suppress(InputError):
            read(written(folder, bytes(changed[:kept])))


@examples(100)
@given(st.binary(max_size=60), st.sampled_from([b"", b"\x93NUMPY\x01\0", b"PK\x03\x04"]))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, head: bytes
) -> None:
    path = written(tmp_path_factory.mktemp("a"), head + content)
    with suppress(InputError):
        read_npy(path)
    with suppress(InputError):
        read_npz(path, None)
