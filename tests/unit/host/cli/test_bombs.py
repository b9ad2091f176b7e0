# SPDX-License-Identifier: BSD-2-Clause

"""Files that are small on the disk and huge when read: one line, status 2, little memory."""

import gzip
import io
import json
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.peak import LIMIT, command
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.runs import Description
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.trainer import Trainer

pytestmark = pytest.mark.slow

HUGE = 3 * 10**9
MANY = 3 * 10**8
"""Bytes that a file really has: more than the limit of memory."""

SMALL = 8_000_000
"""Most bytes that a bomb has on the disk."""


def zeros(header: bytes, count: int) -> bytes:
    """A gzip file of a header and `count` zeros, which is made without holding them."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(header)
        for _ in range(count // 10**6):
            file.write(bytes(10**6))
    return packed.getvalue()


def npy(shape: tuple[int, ...], kind: str = "<f8") -> bytes:
    """The header of an array."""
    file = io.BytesIO()
    described = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)
    return file.getvalue()


def write_zip(path: Path, method: int = zipfile.ZIP_DEFLATED, **entries: Any) -> Path:
    """An archive of entries, each of bytes, or of a header and a number of zeros behind it."""
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, content in entries.items():
            head, count = content if isinstance(content, tuple) else (content, 0)
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                file.write(head)
                for _ in range(count // 10**6):
                    file.write(bytes(10**6))
    return path


def array(values: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(values))
    return file.getvalue()


X, Y = np.arange(40.0).reshape(20, 2), np.arange(20) % 2


def idx(path: Path) -> None:
    path.write_bytes(zeros(b"\0\0\x08\x01" + (MANY + 1).to_bytes(4, "big"), MANY))


def idx_claim(path: Path) -> None:
    path.write_bytes(zeros(b"\0\0\x08\x01" + HUGE.to_bytes(4, "big"), 0))


def table(path: Path) -> None:
    text = b"a,b,c\n" + b"1,2,3\n" * 200_000
    path.write_bytes(gzip.compress(text, 1, mtime=0) + gzip.compress(b"1,2,3\n" * 10**6, 1) * 250)


def ragged(path: Path) -> None:
    row = ",".join("12345678" for _ in range(1000)).encode() + b"\n"
    names = ",".join(f"c{number}" for number in range(1000)).encode() + b"\n"
    part = gzip.compress(row * 1000, 1)
    path.write_bytes(gzip.compress(names, 1) + part * 29 + gzip.compress(b"1,2\n", 1))


def one_row(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n", 1) + gzip.compress(b'"\n",' * 10**6, 1) * 50)


def npz(path: Path) -> None:
    write_zip(path, x=(npy((200_000_000,)), MANY), y=array(Y))


def damaged_npz(path: Path) -> None:
    write_zip(path, x=(npy((MANY // 8,)), MANY), y=array(Y))
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02") + 16
    path.write_bytes(content[:at] + b"\1\2\3\4" + content[at + 4 :])


def long_header(path: Path) -> None:
    write_zip(path, x=(b"\x93NUMPY\2\0" + MANY.to_bytes(4, "little"), MANY), y=array(Y))


def lying_npz(path: Path) -> None:
    """The directory says that the array has 4,128 bytes."""
    write_zip(path, x=(npy((MANY // 8,)), MANY), y=array(Y))
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    told = content[start:].replace((MANY + 128).to_bytes(8, "little"), (4128).to_bytes(8, "little"))
    entry = bytearray(told)
    if entry[24:28] != b"\xff\xff\xff\xff":
        entry[24:28] = (4128).to_bytes(4, "little")
    path.write_bytes(content[:start] + entry)


def bzip2_npz(path: Path) -> None:
    write_zip(path, zipfile.ZIP_BZIP2, x=(npy((20_000_000,)), 160_000_000), y=array(Y))


def directory(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(5000):
            archive.writestr(f"{number}{'x' * 50}.npy", b"")


def parquet(path: Path) -> None:
    arrow, written = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    once = arrow.array(np.zeros(100_000, np.int32))
    column = arrow.DictionaryArray.from_arrays(once, arrow.array(["x" * 100_000]))
    written.write_table(arrow.table({"a": column}), path, store_schema=False)


DATA: dict[str, tuple[Callable[[Path], None], str]] = {
    "x.idx.gz": (idx, "has 300000000 bytes of numbers and should have 300000001"),
    "claim.idx.gz": (idx_claim, "claims 3.0 GB, more than the 1.1 GB that are read"),
    "x.csv.gz": (table, "holds more than the 268.4 MB that are read"),
    "ragged.csv.gz": (ragged, "is no table: row 29002 has 2 cells where 1000 are expected"),
    "row.csv.gz": (one_row, "is no table: a row has more than 1048576 characters"),
    "x.npz": (npz, "claims 1.6 GB, more than the 1.1 GB that are read"),
    "damaged.npz": (damaged_npz, "it is damaged, or no file of arrays"),
    "header.npz": (long_header, "it is damaged, or no file of arrays"),
    "lying.npz": (lying_npz, "it is damaged, or no file of arrays"),
    "bzip2.npz": (bzip2_npz, "it is damaged, or no file of arrays"),
    "directory.npz": (directory, "it is damaged, or no file of arrays"),
    "x.parquet": (parquet, "claims 10.0 GB, more than the 268.4 MB that are read"),
}


def refused(here: Path, message: str, *args: object, before: str = "") -> int:
    """Check that a command refuses its file in one line, and return how much memory it took."""
    ended = command(*args, here=here, before=before)
    assert ended.status == 2, ended
    assert ended.message.count("\n") == 1
    assert message in ended.message
    assert ended.message[:-1].isprintable()
    return ended.grown if before else ended.peak


@pytest.mark.parametrize("name", DATA)
def test_data_that_unpack_to_more_than_the_bound_are_refused(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pandas")
    make, message = DATA[name]
    make(tmp_path / name)
    assert (tmp_path / name).stat().st_size < SMALL
    target = ("--target", "c") if "csv" in name else ()
    assert refused(tmp_path, message, "train", name, *target, "--device", "golden") < LIMIT


def run_of_blobs(path: Path) -> Checkpoint:
    trainer = Trainer(NETWORK, RECIPE, blobs())
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    path.mkdir()
    state.save(path / "checkpoint.npz")
    Description("digits", "golden").write(path / "run.json")
    return state


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist()}


def long_about(path: Path) -> None:
    write_zip(path, **parts(path) | {"about": (npy((), f"<U{MANY // 4}"), MANY)})


def nested_about(path: Path) -> None:
    described = np.array(f"[{'[],' * 1_380_000}[]]")
    write_zip(path, **parts(path) | {"about": array(described)})


def long_weight(path: Path) -> None:
    write_zip(path, **parts(path) | {"weight1": (npy((1000, MANY // 8000), "<i8"), MANY)})


def long_words(path: Path) -> None:
    write_zip(path, **parts(path) | {"weight0": (npy((7, 8), "<U1500000"), 336_000_000)})


CHECKPOINTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "about": (long_about, "its description claims 75.0 MB, more than the 4.2 MB that are read"),
    "nested": (nested_about, "its description is damaged"),
    "weight": (long_weight, "weights have shapes"),
    "words": (long_words, "not integers of 32 bits"),
}


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_a_checkpoint_that_unpacks_to_more_is_refused(tmp_path: Path, name: str) -> None:
    run_of_blobs(tmp_path / "run")
    make, message = CHECKPOINTS[name]
    make(tmp_path / "run/checkpoint.npz")
    assert (tmp_path / "run/checkpoint.npz").stat().st_size < SMALL
    assert refused(tmp_path, message, "export", "run", "x.h") < LIMIT


def test_every_command_refuses_long_checkpoints_and_descriptions(tmp_path: Path) -> None:
    run_of_blobs(tmp_path / "run")
    shutil.copytree(tmp_path / "run", tmp_path / "other")
    long_weight(tmp_path / "run/checkpoint.npz")
    (tmp_path / "other/run.json").write_text(json.dumps({"name": "x" * 9_000_000}))
    for run, message in (("run", "weights have shapes"), ("other", "run.json claims 9.0 MB")):
        for args in (
            *(("predict", run, "x.csv"), ("evaluate", run), ("report", run)),
            ("train", "digits", "--out", run, "--resume", "--device", "golden"),
        ):
            assert refused(tmp_path, message, *args) < LIMIT


def test_an_array_that_nobody_asks_for_is_not_read(tmp_path: Path) -> None:
    run_of_blobs(tmp_path / "run")
    path = tmp_path / "run/checkpoint.npz"
    write_zip(path, **parts(path) | {"weight9": (npy((MANY // 8,)), MANY)})
    ended = command("export", "run", "x.h", here=tmp_path)
    assert (ended.status, ended.message) == (0, "")
    assert ended.peak < LIMIT


def network_npz(path: Path) -> None:
    weights = {f"L{i}": (npy((1000, 100_000), "|u1"), 100_000_000) for i in range(2)}
    write_zip(path, **{f"{name}.weight": content for name, content in weights.items()})


def long_safetensors(path: Path) -> None:
    pytest.importorskip("safetensors")
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 99_000_000))
        file.truncate(99_000_100)


def empty_nodes(path: Path) -> None:
    """A graph of two million nodes, of two bytes each."""
    path.write_bytes(b"\x3a" + varint(4_000_000) + b"\x0a\x00" * 2_000_000)


def varint(value: int) -> bytes:
    more, least = divmod(value, 128)
    return bytes([least | 128]) + varint(more) if more else bytes([least])


def many_integers(path: Path) -> None:
    """A tensor of six million integers, of a byte each."""
    tensor = b"\x3a" + varint(6_000_000) + b"\1" * 6_000_000
    graph = b"\x2a" + varint(len(tensor)) + tensor
    path.write_bytes(b"\x3a" + varint(len(graph)) + graph)


def shared_data(path: Path) -> None:
    """A hundred tensors in the same megabyte of another file."""
    onnx: Any = pytest.importorskip("onnx")
    (path.parent / "w.data").write_bytes(bytes(1_000_000))
    graph = onnx.helper.make_graph([], "g", [], [])
    for number in range(100):
        tensor = graph.initializer.add(name=f"w{number}", data_type=1, dims=[250_000])
        tensor.data_location = onnx.TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="w.data")
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())


def large_product(path: Path) -> None:
    """A constant of a billion numbers, which is the sum of a column and a row."""
    onnx: Any = pytest.importorskip("onnx")
    helper, tensor = onnx.helper, onnx.numpy_helper.from_array
    column, row = np.ones((4000, 1), np.float32), np.ones((1, 4000), np.float32)
    nodes = [
        helper.make_node("Add", ["a", "b"], ["W"]),
        helper.make_node("Gemm", ["x", "W"], ["y"]),
    ]
    values = [helper.make_tensor_value_info(name, 1, ["n", 4000]) for name in "xy"]
    graph = helper.make_graph(
        nodes, "g", values[:1], values[1:], [tensor(column, "a"), tensor(row, "b")]
    )
    path.write_bytes(helper.make_model(graph).SerializeToString())


def torch_zip(path: Path, pickled: bytes, method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("x/data.pkl", pickled)
        archive.writestr("x/version", b"3\n")
        archive.writestr("x/byteorder", b"little")


ZEROS = b"\x80\x02cbuiltins\nbytearray\nJ\x00\x00\x00\x7f\x85R."


def torch_zeros(path: Path) -> None:
    torch_zip(path, ZEROS)


def torch_packed(path: Path) -> None:
    torch_zip(path, b"\x80\x02(" + b"}" * 10**8 + b"t.", zipfile.ZIP_DEFLATED)


def torch_objects(path: Path) -> None:
    torch_zip(path, b"\x80\x02(" + b"\x8f" * 7_000_000 + b"t.")


def old_torch(path: Path) -> None:
    path.write_bytes(ZEROS * 5)


NETWORKS: dict[str, tuple[Callable[[Path], None], str]] = {
    "x.npz": (network_npz, "what it holds claims 800.0 MB, more than the 67.1 MB that are read"),
    "x.safetensors": (long_safetensors, "its description claims 99.0 MB, more than the 4.2 MB"),
    "nodes.onnx": (empty_nodes, "holds more than the 16.8 MB that are read"),
    "integers.onnx": (many_integers, "holds more than the 16.8 MB that are read"),
    "data.onnx": (shared_data, "what is in w.data claims 17.0 MB, more than the 16.8 MB"),
    "sum.onnx": (large_product, "node Gemm takes W, which is not a constant"),
    "zeros.pt": (torch_zeros, "is damaged or holds more than tensors"),
    "packed.pt": (torch_packed, "is damaged or holds more than tensors"),
    "objects.pt": (torch_objects, "its pickle claims 7.0 MB, more than the 524.3 kB"),
    "old.pt": (old_torch, "is damaged or holds more than tensors"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_unpacks_to_more_is_refused(tmp_path: Path, name: str) -> None:
    make, message = NETWORKS[name]
    make(tmp_path / name)
    size = (tmp_path / name).stat()
    assert 512 * size.st_blocks < SMALL
    args = ("train", "xor", "--weights", name, "--device", "golden")
    assert refused(tmp_path, message, *args) < LIMIT


def test_a_larger_bound_is_given_by_the_option(tmp_path: Path) -> None:
    run_of_blobs(tmp_path / "run")
    Description("d" * 1_000_000, "golden").write(tmp_path / "run/run.json")
    for size, status in (("200MB", 2), ("300MB", 0)):
        ended = command("export", "run", "x.h", "--max-file-size", size, here=tmp_path)
        assert ended.status == status, ended
    ended = command("export", "run", "x.h", "--max-file-size", "many", here=tmp_path)
    assert "size 'many': give a number of bytes such as 500MB" in ended.message
    assert ended.status == 2
