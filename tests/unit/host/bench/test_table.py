# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate bench`: measured on small compiled engines, and what it refuses."""

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.small_engines import ENGINES, engine, tiered

from dualgate.bench import floating_speed, golden_speed
from dualgate.bench.table import Row, Variant, run
from dualgate.bench.torch_speed import torch_samples_per_s
from dualgate.bench.workload import Workload, prepare
from dualgate.cli import bench as bench_module
from dualgate.cli import main
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF
from dualgate.data import Dataset, Samples, load_digits
from dualgate.optim.initialisers import initial_master_weights
from dualgate.tasks import TASKS

SMALL_DIGITS = replace(TASKS["digits"], layers=(40, 16, 12, 10))


def upper_rows(directory: Path | None) -> Dataset:
    """Digits' upper five rows of pixels, which the small engines hold."""
    whole = load_digits().train
    part = Samples(whole.x[:200, :40], whole.target[:200], whole.labels)
    return Dataset(part, part)


def sizes(name: str) -> dict[str, int]:
    """Memory sizes of an engine that is compiled already."""
    return {m: getattr(engine(name), m) for m in engine(name).needs(Network((1, 1)))}


@pytest.fixture(scope="module")
def work() -> Workload:
    task = replace(SMALL_DIGITS, load=upper_rows)
    return prepare(task, task.network("digits"), None, samples=50, batch=16)


def measure(work: Workload, name: str, prune: int) -> Row:
    shape = dict(ENGINES[name])
    neurons = shape.pop("neurons")
    (row,) = run(work, neurons, [Variant("some", prune, **shape)], **sizes(name))
    return row


def test_a_workload_is_a_network_in_training(work: Workload) -> None:
    assert (work.warm_up, len(work.x), work.batches) == (200, 50, 4)
    start = initial_master_weights(work.network, work.recipe.seed)
    assert any((a != b).any() for a, b in zip(work.weights, start, strict=True))
    assert any(v.any() for v in work.velocity)


@pytest.mark.slow
@pytest.mark.parametrize("name", tiered("n4", "n8k3s", "n4k4c3"))
def test_a_row_is_measured_and_predicted_alike(work: Workload, name: str) -> None:
    exact, pruned = (measure(work, name, prune) for prune in (PRUNE_OFF, 1))
    built = engine(name)
    for row in (exact, pruned):
        assert row.exact or built.cores > 1
        assert row.predicted == pytest.approx(row.measured, rel=0.03 * (built.cores > 1))
        assert row.estimated == pytest.approx(row.measured, rel=0.25)
        assert row.multipliers == built.multipliers
        assert (row.neurons, row.tangent_lanes) == (built.neurons, built.tangent_lanes)
        assert (row.cores, row.arrays) == (built.cores, built.arrays)
        weights = (40 * 16, 16 * 12, 12 * 10)
        assert row.dense == (2 * sum(weights) + sum(weights[1:])) / row.multipliers
        assert row.ratio == row.measured / row.sparse > 1
        rows = row.sparse_rows.values()
        ends = row.batch_end * work.batches / len(work.x)
        arrays = built.tangent_lanes + built.arrays - 1
        least = max(rows) if arrays == built.arrays == 3 else sum(rows) / arrays
        assert row.sparse >= least / built.cores + ends - 1e-9
        assert all(0 < share <= 1 for share in row.utilisation.values())
        lanes = [row.utilisation[kind] for kind in ("value", "tangent", "update")]
        assert (sum(lanes) if built.arrays == 1 else max(lanes)) < 1
        whole = work.batches * (row.fill + row.batch_end) + len(work.x) * row.pace
        assert whole / len(work.x) == pytest.approx(row.measured, rel=0.02)
    assert pruned.measured < exact.measured
    assert pruned.kept_fraction < exact.kept_fraction == 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command on the upper rows, and on an engine that is compiled already."""
    rows = upper_rows(None)  # now, since scikit-learn does not import beside the torch of below
    monkeypatch.setitem(TASKS, "digits", replace(SMALL_DIGITS, load=lambda _: rows))
    chosen = [Variant("three lanes", PRUNE_OFF), Variant("three lanes", 2)]
    monkeypatch.setattr(bench_module, "run", partial(run, variants=chosen, **sizes("n4")))
    monkeypatch.setitem(sys.modules, "torch", None)


def invoke(*args: str) -> Result:
    return CliRunner().invoke(main, ["bench", *args])


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_command_prints_a_table_and_writes_every_figure(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    result = invoke("--neurons", "4", "--samples", "20", "--batch", "10", "--json", str(path))
    assert result.exit_code == 0, result.output
    figures = json.loads(path.read_text())
    assert (figures["samples"], figures["batch"], figures["torch"]) == (20, 10, None)
    assert figures["layers"] == [40, 16, 12, 10]
    assert [row["prune"] for row in figures["rows"]] == ["off", "1/4"]
    lines = result.stdout.splitlines()
    assert lines[0].startswith("digits 40-16-12-10, tanh, cce: 20 samples in batches of 10, after")
    for row, line in zip(figures["rows"], lines[3:5], strict=True):
        assert row["exact"]
        words = line.split()
        assert words[:4] == ["three", "lanes", row["prune"], "12"]
        assert words[4] == words[5] == f"{row['measured']:,.1f}"
        assert len(line) <= 100
    assert lines[-1] == (
        "PyTorch is left out: PyTorch is not installed; pip install dualgate[torch]"
    )
    assert figures["software"] == []


@pytest.mark.slow
@pytest.mark.usefixtures("small")
def test_the_golden_model_and_floating_point_are_timed_beside_pytorch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("threadpoolctl")
    for module in (bench_module, floating_speed, golden_speed):
        monkeypatch.setattr(module, "torch_samples_per_s", lambda *_: ("9.9", 1000.0))
    monkeypatch.setattr(bench_module, "run", lambda *_: iter(()))
    result = invoke("--samples", "20", "--batch", "10", "--json", str(tmp_path / "x.json"))
    assert result.exit_code == 0, result.output
    figures = json.loads((tmp_path / "x.json").read_text())
    lines = result.stdout.splitlines()
    at = lines.index("PyTorch 9.9, one thread, batch 10: 1,000 samples/s of CPU time")
    assert lines[at + 1].startswith("The golden model and forward mode in float32 beside it")
    rows = figures["software"]
    methods = [row["method"] for row in rows]
    assert methods[:3] == ["golden", "golden, numpy", "float32 numpy"]
    assert [row["batch"] for row in rows] == [10, 10] + [20] * (len(rows) - 2)
    assert [row["prune"] for row in rows[:2]] == ["1/4", "1/4"]
    assert rows[0]["kept_fraction"] == rows[1]["kept_fraction"] < 1
    for row, line in zip(rows, lines[at + 3 :], strict=True):
        assert row["ratio"] == pytest.approx(1000.0 / row["samples_per_s"])
        assert row["least_ratio"] <= row["ratio"] <= row["largest_ratio"]
        assert line.startswith(f"{row['method']:18}")
        assert line.split()[-4] == f"{row['ratio']:.2f}"
        assert len(line) == len(lines[at + 2])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--task", "nonsense"), "unknown task 'nonsense'; choose"),
        (("--task", "mnist"), "MNIST: no directory given; give --data DIR"),
        (("--layers", "40,9"), "layers 40,9: digits has 40 inputs and 10 outputs; give"),
        (("--neurons", "3"), "3 neurons: give a power of two, such as 16"),
        (("--samples", "0"), "Invalid value for '--samples': 0 is not in the range x>=1."),
        (("--batch", "255"), "Invalid value for '--batch': 255 is not in the range 1<=x<=254."),
        (("--json", "/proc/x/y.json"), "cannot write /proc/x/y.json"),
    ],
)
def test_a_wrong_option_is_one_line(args: tuple[str, ...], message: str) -> None:
    result = invoke(*args)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"error: {message}")
    assert result.stderr.count("\n") == 1


class FakeTorch(ModuleType):
    """As much of PyTorch as the yardstick touches; counts its steps."""

    __version__ = "9.9"

    def __init__(self) -> None:
        super().__init__("torch")
        self.threads, self.steps, self.made = 7, 0, []
        self.float32 = np.float32
        self.nn = self.optim = self

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, count: int) -> None:
        self.threads = count

    def as_tensor(self, x: Any, dtype: Any) -> Any:
        parts = type(
            "Tensor", (), {"split": lambda _, n: [x[i : i + n] for i in range(0, len(x), n)]}
        )
        return parts()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def make(*args: Any, **_: Any) -> Any:
            self.made.append((name, *args))
            return self

        return make

    def __call__(self, *_: Any) -> "FakeTorch":
        assert self.threads == 1
        return self

    def step(self) -> None:
        self.steps += 1


def test_pytorch_trains_the_same_network_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeTorch()
    monkeypatch.setitem(sys.modules, "torch", fake)
    network = Network((4, 3, 2), "tanh")
    version, speed = torch_samples_per_s(
        network, np.zeros((25, 4)), np.zeros((25, 2)), batch=10, lr=0.1, momentum=0.9
    )
    assert version == "9.9"
    assert speed > 0
    assert fake.steps == 10 + 3
    assert fake.threads == 7
    assert [m for m in fake.made if m[0] in ("Linear", "Tanh", "CrossEntropyLoss")] == [
        ("Linear", 4, 3),
        ("Tanh",),
        ("Linear", 3, 2),
        ("CrossEntropyLoss",),
    ]
