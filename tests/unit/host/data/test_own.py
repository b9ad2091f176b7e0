# SPDX-License-Identifier: BSD-2-Clause

"""Samples of one's own: the kind of a file, its inputs and its targets."""

import gzip
import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples
from support.idx_files import idx_bytes, write_images

from dualgate.contract.errors import InputError
from dualgate.data.own import OwnData, Raw, read_own, rows

X, Y = np.arange(12, dtype=np.uint8).reshape(3, 2, 2), np.array([0, 1, 1], np.uint8)


def table(folder: Path, text: str = "a,b,c\n1,2,x\n3,4,y\n") -> Path:
    path = folder / "table"
    path.write_text(text)
    return path


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def read(path: Path, target: str | None = None, **more: tuple[str, ...]) -> Raw:
    return read_own(path, OwnData(path, target, **more))


def test_a_table_is_split_into_inputs_and_targets(tmp_path: Path) -> None:
    raw = read(table(tmp_path), "c", drop=("a",))
    assert raw.x.columns.tolist() == ["b"]
    assert raw.y.to_dict("list") == {"c": ["x", "y"]}
    assert raw.targets == ("c",)
    raw = read(table(tmp_path), "c, a")
    assert raw.y.columns.tolist() == ["c", "a"]
    assert raw.x.columns.tolist() == ["b"]


def test_a_name_with_a_comma_is_one_target(tmp_path: Path) -> None:
    raw = read(table(tmp_path, 'a,"b,c"\n1,2\n'), "b,c")
    assert raw.targets == ("b,c",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "cc"}, r"unknown column 'cc', did you mean c\?"),
        ({"target": None}, r"which column is to be predicted\? give --target; .* a, b, c$"),
        ({"target": "c", "drop": ("z",)}, "unknown column 'z'; choose a, b, c"),
        ({"target": "c", "categorical": ("A",)}, r"unknown column 'A', did you mean a\?"),
    ],
)
def test_unknown_columns_are_refused_with_a_similar_one(
    tmp_path: Path, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read(table(tmp_path), **settings)


def test_a_table_to_predict_from_needs_no_targets(tmp_path: Path) -> None:
    path = table(tmp_path, "a,b\n1,2\n")
    raw = read_own(path, OwnData(path, "c", drop=("z",)), need_target=False)
    assert raw.y is None
    assert raw.x.columns.tolist() == ["a", "b"]


@pytest.mark.parametrize("kind", [npy, idx_bytes, lambda array: gzip.compress(idx_bytes(array))])
def test_arrays_and_idx_are_told_by_content(tmp_path: Path, kind: object) -> None:
    x, y = tmp_path / "x", tmp_path / "y.csv"
    x.write_bytes(kind(X))
    y.write_bytes(kind(Y))
    raw = read(x, str(y))
    np.testing.assert_array_equal(raw.x, X)
    np.testing.assert_array_equal(raw.y, Y)
    assert raw.targets == ("y",)
    with pytest.raises(InputError, match=r"has no targets; give --target with the file that"):
        read(x)
    with pytest.raises(InputError, match=r"^there is no file nowhere of targets; give the one"):
        read(x, "nowhere")


def test_an_array_to_predict_from_ignores_the_targets_of_training(tmp_path: Path) -> None:
    for name, array in (("x", X), ("y", Y), ("new", X[:1])):
        (tmp_path / name).write_bytes(npy(array))
    own = OwnData(tmp_path / "x", str(tmp_path / "y"))
    assert len(read_own(tmp_path / "new", own, need_target=False).x) == 1


def test_arrays_of_one_archive_may_hold_held_out_samples(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=X, y_train=Y, x_test=X[:1], y_test=Y[:1])
    raw = read(path)
    assert raw.held_out is not None
    assert [len(each) for each in (raw.x, raw.y, raw.held_out.x, raw.held_out.y)] == [3, 3, 1, 1]


@pytest.mark.parametrize("name", ["", "train", "[a]*"])
def test_idx_files_are_found_by_directory_or_beginning(tmp_path: Path, name: str) -> None:
    write_images(tmp_path)
    if name == "[a]*":
        with pytest.raises(InputError, match=r"^there is no .*\[a\]\*; give a file, a directory"):
            read(tmp_path / name)
        return
    raw = read(tmp_path / name)
    assert raw.x.shape == (50, 784)
    assert (raw.held_out is None) == (name == "train")


def test_a_directory_without_idx_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no IDX files of images and labels; give a file"):
        read(tmp_path)


@pytest.mark.parametrize("name", ["none.csv", "a" * 300, "**", "?", "none/none.csv"])
def test_a_file_that_does_not_exist_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"^(there is no|cannot read) .*; (give|choose)"):
        read(tmp_path / name)


def test_numbers_of_inputs_and_targets_must_agree(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=X, y=Y[:2])
    with pytest.raises(InputError, match=r"x.npz: 3 inputs for 2 targets; match them$"):
        read(tmp_path / "x.npz")


def test_rows_are_taken_by_position_or_truth() -> None:
    frame = pandas.DataFrame({"a": [1, 2, 3]}, index=[7, 7, 7])
    assert rows(frame, np.array([2, 0]))["a"].tolist() == [3, 1]
    assert rows(np.array([1, 2, 3]), np.array([True, False, True])).tolist() == [1, 3]


HEADS = st.sampled_from([b"", b"\x93NUMPY\1\0", b"PK\3\4", b"\0\0\x08\1", b"\x1f\x8b", b"PAR1"])


@examples(100)
@given(HEADS, st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, head: bytes, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("own") / "file"
    path.write_bytes(head + content)
    with suppress(InputError):
        read_own(path, OwnData(path), need_target=False)
