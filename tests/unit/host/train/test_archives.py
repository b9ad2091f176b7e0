# SPDX-License-Identifier: BSD-2-Clause

"""Archives: the same content in both formats, and no damage that goes unnoticed."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.damage import damage
from support.effort import examples
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.errors import CheckpointError, InputError, MissingToolError
from dualgate.train.archives import read_archive, write_archive
from dualgate.train.checkpoint import load_checkpoint
from dualgate.train.trainer import Trainer

pytest.importorskip("safetensors")

ABOUT = '{"name": "red neuronal, ∂"}'
ARRAYS = {
    "weight0": np.array([[1 << 31, -(1 << 31)], [0, 1]], np.int64),
    "weight1": np.arange(12, dtype=np.int64).reshape(3, 4).T,  # not contiguous
    "rates": np.array([0.1, np.inf]),
}
BOTH = pytest.mark.parametrize("name", ["x.npz", "x.safetensors"])


def part(content: Mapping[str, object]) -> bool:
    """Whether all there is, is as it was written."""
    written = {"about": ABOUT, **ARRAYS}
    return content.keys() <= written.keys() and all(
        np.asarray(value).dtype == np.asarray(written[name]).dtype
        and np.array_equal(np.asarray(value), written[name])
        for name, value in content.items()
    )


def same(content: Mapping[str, object]) -> bool:
    return part(content) and content.keys() == {"about", *ARRAYS}


@BOTH
def test_an_archive_is_read_back(tmp_path: Path, name: str) -> None:
    write_archive(tmp_path / name, ABOUT, ARRAYS)
    assert same(read_archive(tmp_path / name))
    assert [child.name for child in tmp_path.iterdir()] == [name]


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    write_archive(tmp_path / "x.safetensors", ABOUT, ARRAYS)
    assert set(load_file(tmp_path / "x.safetensors")) == set(ARRAYS)
    write_archive(tmp_path / "x.any", ABOUT, ARRAYS)
    with np.load(tmp_path / "x.any", allow_pickle=False) as arrays:
        assert set(arrays.files) == {"about", *ARRAYS}


@BOTH
@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"no archive", b"\x80\4.", b"\xff" * 99])
def test_a_file_that_is_no_archive_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"^not a whole \.{name[2:]} of arrays$"):
        read_archive(tmp_path / name)


@BOTH
def test_a_missing_file_or_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match=r"^No such file or directory$"):
        read_archive(tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(CheckpointError, match=r"^Is a directory$"):
        read_archive(tmp_path / name)
    with pytest.raises(InputError, match="not a file"):
        write_archive(tmp_path / name, ABOUT, ARRAYS)


def test_a_checkpoint_is_the_same_in_both_formats(tmp_path: Path) -> None:
    trainer = Trainer(NETWORK, RECIPE, blobs())
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    contents = []
    for name in ("x.npz", "x.safetensors"):
        state.save(tmp_path / name)
        about, arrays = load_checkpoint(tmp_path / name).contents()
        contents.append((about, {key: array.tolist() for key, array in arrays.items()}))
    assert contents[0] == contents[1]


def test_a_file_of_another_program_has_no_text(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "x.safetensors")
    assert list(read_archive(tmp_path / "x.safetensors")) == ["a"]


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    np.savez(content, about=np.array([{}], dtype=object))
    (tmp_path / "x.npz").write_bytes(content.getvalue())
    with pytest.raises(CheckpointError, match="not a whole"):
        read_archive(tmp_path / "x.npz")


@pytest.mark.parametrize("function", [write_archive, read_archive])
def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, function: object
) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    arguments = (ABOUT, ARRAYS) if function is write_archive else ()
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[safetensors\]$"):
        function(tmp_path / "x.safetensors", *arguments)  # type: ignore[operator]
    assert not list(tmp_path.iterdir())


@BOTH
@examples(100)
@given(data=st.data())
def test_a_damaged_archive_is_refused_or_its_other_entries_stay(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / name
    write_archive(path, ABOUT, ARRAYS)
    damage(path, data)
    try:
        read = {key: np.asarray(value) for key, value in read_archive(path).items()}
    except CheckpointError:
        return
    assert part(read) or "about" not in read
