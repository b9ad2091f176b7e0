# SPDX-License-Identifier: BSD-2-Clause

"""Every command that takes a file takes mutated ones: it ends well, or in one line, in bounds."""

import gzip
import resource
import shutil
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from support.build_results import result as build_result
from support.effort import examples
from support.idx_files import idx_bytes
from support.mutations import mutants

from dualgate.cli import main
from dualgate.contract.network import Network
from dualgate.exchange import Model, write_model
from dualgate.optim.initialisers import initial_weights

pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("safetensors")

MUTANTS = 150
"""Mutants of each case in ``make thorough``; all cases together have more than 5,000."""

GROWTH = 256 << 20
"""Bytes by which the data of the process may grow while a command runs."""

QUICK = ("--device", "golden", "--epochs", "1", "--batch", "32")
TABLE = ("--target", "kind", "--layers", "4,3,3")
RUNS = {
    "csv": ("nums.csv", *TABLE),
    "words": ("words.csv.gz", "--target", "kind"),
    "parquet": ("nums.parquet", *TABLE),
    "npz": ("arrays.npz", "--target", "y"),
    "npy": ("x.npy", "--target", "y.npy"),
    "idx": ("idx",),
    "safe": ("nums.csv", *TABLE, "--optimiser", "adam"),
}
"""Arguments of `train`, by the directory of the run."""

NEW = {"csv": "nums.csv", "words": "words.csv.gz", "parquet": "nums.parquet", "npz": "arrays.npz"}
NEW |= {"npy": "x.npy", "idx": "idx/train-images-idx3-ubyte"}
IMAGES = "idx/train-images-idx3-ubyte"
LABELS = "idx/train-labels-idx1-ubyte.gz"
WEIGHTS = ("w.onnx", "w.safetensors", "w.pt", "runs/csv/checkpoint.npz")

Case = tuple[str, tuple[str, ...]]


def cases() -> dict[str, Case]:
    """The file that is mutated and the arguments of the command, by a name."""
    found: dict[str, Case] = {}
    for name in ("csv", "words", "parquet", "npz", "npy"):
        found[f"train {name}"] = (RUNS[name][0], ("train", *RUNS[name], *QUICK, "--out", "new"))
    for file in (IMAGES, LABELS):
        found[f"train {file[4:]}"] = (file, ("train", "idx", *QUICK, "--out", "new"))
    for file in WEIGHTS:
        weights = ("train", "nums.csv", "--target", "kind", "--weights", file)
        found[f"train --weights {file}"] = (file, (*weights, *QUICK, "--out", "new"))
    for name in ("csv", "safe"):
        for file in ("checkpoint.npz", "run.json"):
            resume = ("train", "nums.csv", "--target", "kind", "--resume", "--device", "golden")
            path = f"runs/{name}/{file}"
            found[f"train --resume {path}"] = (path, (*resume, "--out", f"runs/{name}"))
    for name, file in NEW.items():
        found[f"predict {name}"] = (file, ("predict", f"runs/{name}", file, "--out", "new"))
        if name not in ("npy", "idx"):
            found[f"evaluate {name}"] = (file, ("evaluate", f"runs/{name}", file, "--json"))
    for file in ("checkpoint.npz", "run.json"):
        path = f"runs/words/{file}"
        found[f"predict {file}"] = (path, ("predict", "runs/words", "words.csv.gz"))
        found[f"evaluate {file}"] = (path, ("evaluate", "runs/words"))
        found[f"export {file}"] = (path, ("export", "runs/words", "new.h"))
        found[f"report {file}"] = (path, ("report", "runs/words", "--out", "new.html"))
    found["program"] = ("board/result.json", ("program", "ulx3s-25f", "--out", "board"))
    return found


CASES = cases()


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of real files: data of every kind, weights, runs, and a build."""
    here = tmp_path_factory.mktemp("real")
    write_data(here)
    network = Network((4, 3, 3), "tanh", "cce")
    for file in WEIGHTS[:3]:
        write_model(here / file, Model(network, initial_weights(network, seed=1)))
    (here / "board").mkdir()
    (here / "board/result.json").write_text(build_result(problem="too slow").to_json())
    (here / "board/top.bit").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        for name, args in RUNS.items():
            done = CliRunner().invoke(main, ("train", *args, *QUICK, "--out", f"runs/{name}"))
            assert done.exit_code == 0, done.stderr
    return here


def write_data(here: Path) -> None:
    """Tables, arrays and images of 60 samples in three classes."""
    import pandas as pd

    random = np.random.default_rng(0)
    labels = np.arange(60) % 3
    x = np.round(random.normal(labels[:, None], 0.3, (60, 4)), 2)
    table = pd.DataFrame(x, columns=list("abcd")).assign(kind=[f"k{n}" for n in labels])
    table.to_csv(here / "nums.csv", index=False)
    table.to_parquet(here / "nums.parquet")
    words = table.assign(colour=np.array(["red", "blue", "rosé"])[random.integers(0, 3, 60)])
    words.to_csv(here / "words.csv.gz", index=False, sep=";", decimal=",")
    np.savez_compressed(here / "arrays.npz", x=x, y=labels)
    np.save(here / "x.npy", x)
    np.save(here / "y.npy", labels)
    (here / "idx").mkdir()
    for part in ("train", "t10k"):
        images = random.integers(0, 256, (60, 4, 4), dtype=np.uint8)
        (here / f"idx/{part}-images-idx3-ubyte").write_bytes(idx_bytes(images))
        packed = gzip.compress(idx_bytes(labels.astype(np.uint8)), mtime=0)
        (here / f"idx/{part}-labels-idx1-ubyte.gz").write_bytes(packed)


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Let the data of this process grow by `GROWTH` and no more."""
    status = Path("/proc/self/status").read_text()
    used = next(int(line.split()[1]) << 10 for line in status.splitlines() if "VmData" in line)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (used + GROWTH, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def outcome(args: tuple[str, ...]) -> str | None:
    """Run a command; None if it ended well or in one line, else what it did instead."""
    with bounded_memory():
        done = CliRunner().invoke(main, args)
    error = done.exception
    if error is not None and not isinstance(error, SystemExit):
        return "".join(traceback.format_exception(error))
    lines = [line for line in done.stderr.splitlines() if not line.startswith("note: ")]
    if done.exit_code == 0:
        return None if all(map(str.isprintable, lines)) else f"printed {done.stderr!r}"
    clean = len(lines) == 1 and lines[0].startswith("error: ") and lines[0].isprintable()
    return None if done.exit_code == 2 and clean else f"status {done.exit_code}: {done.stderr!r}"


@pytest.mark.parametrize("case", CASES)
def test_the_real_files_are_taken(case: str, real: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    shutil.copytree(real, here)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        assert outcome(CASES[case][1]) is None


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_mutated_files_end_well_or_in_one_line(
    case: str, real: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file, args = CASES[case]
    content = (real / file).read_bytes()
    here = tmp_path_factory.mktemp("mutated")

    @examples(MUTANTS, database=None)
    @given(content=mutants(content))
    def check(content: bytes) -> None:
        shutil.rmtree(here)
        shutil.copytree(real, here)
        (here / file).write_bytes(content)
        before = set(here.rglob("*"))
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(here)
            problem = outcome(args)
            assert problem is None, problem
        left = set(here.rglob("*")) - before
        assert not [path for path in left if path.suffix in (".tmp", ".part")]

    check()
