# SPDX-License-Identifier: BSD-2-Clause

"""The speed of forward mode and of the golden model beside PyTorch."""

import sys
import time
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dualgate.bench import floating_speed as speed
from dualgate.bench import golden_speed
from dualgate.bench.speed import Turns, cpu_seconds, take_turns
from dualgate.contract.errors import MissingToolError
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.floating.kernels import NUMPY
from dualgate.train.recipe import Recipe


@pytest.fixture
def fixed_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch of 1,000 samples a second."""
    pytest.importorskip("threadpoolctl")
    for module in (speed, golden_speed):
        monkeypatch.setattr(module, "torch_samples_per_s", lambda *_: ("9.9", 1000.0))


def noise(samples: int, inputs: int) -> Samples:
    random = np.random.default_rng(0)
    x = random.random((samples, inputs)) * (random.random((samples, inputs)) < 0.2)
    return Samples.of_classes(x, random.integers(0, 10, samples), 10)


@pytest.mark.usefixtures("fixed_torch")
def test_each_row_is_a_ratio_to_the_epoch_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_installed", lambda: iter([NUMPY]))
    network = Network((20, 8, 8, 10), "tanh")
    rows = list(speed.measure(network, noise(300, 20), 100, 0.1, 0.9, rounds=1))
    named = [(row.method, row.prune, row.batch) for row in rows]
    assert named == [("float32 numpy", "off", 100), ("float32 numpy", "1/4", 100)]
    for row in rows:
        assert row.ratio == pytest.approx(1000.0 / row.samples_per_s)
    assert rows[0].kept_fraction == 1.0
    assert 0.1 < rows[1].kept_fraction < 0.9


@pytest.mark.slow
@pytest.mark.usefixtures("fixed_torch")
def test_the_command_prints_a_table() -> None:
    result = CliRunner().invoke(speed.main, ["--task", "digits", "--rounds", "1"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "digits 64-32-16-10: 1,437 samples in batches of 1000, one thread"
    assert lines[2].split()[:4] == ["float32", "numpy", "off", "1,000"]
    assert len({len(line) for line in lines[1:]}) == 1


def test_a_missing_directory_is_one_line() -> None:
    result = CliRunner().invoke(speed.main)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: MNIST: no directory given; give --data DIR")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("missing", ["torch", "threadpoolctl"])
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    pytest.importorskip("threadpoolctl")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(MissingToolError, match=r"is not installed; pip install dualgate\[torch\]$"):
        list(speed.measure(Network((4, 3, 10)), noise(20, 4), 10, 0.1, 0.9))


def test_kernels_that_are_not_installed_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(name: str) -> Any:
        if name == "numba":
            raise MissingToolError("numba is not installed")
        return NUMPY

    monkeypatch.setattr(speed, "find_kernels", find)
    assert list(speed._installed()) == [NUMPY]


def test_a_ratio_is_the_median_of_neighbours() -> None:
    own, other = iter([1.0, 9.0, 4.0]), iter([2.0, 3.0, 1.0])
    turns = take_turns(lambda: next(own), lambda: next(other), 3)
    assert turns == Turns(seconds=4.0, ratio=3.0, least=0.5, largest=4.0)


def test_time_is_that_of_the_thread() -> None:
    def wait() -> None:
        time.sleep(0.2)

    assert cpu_seconds(wait) < 0.1 < cpu_seconds(lambda: sum(range(20_000_000)))


@pytest.mark.slow
@pytest.mark.usefixtures("fixed_torch")
def test_the_golden_model_trains_alike_in_both_rows() -> None:
    network, samples = Network((20, 8, 8, 10), "tanh"), noise(300, 20)
    recipe = Recipe(1, batch=100, lr=0.1, momentum=0.9, prune=2)
    compiled, in_numpy = golden_speed.measure(network, samples, recipe, rounds=1)
    assert (compiled.method, in_numpy.method) == ("golden", "golden, numpy")
    assert compiled.kept_fraction == in_numpy.kept_fraction < 1
    assert compiled.batch == in_numpy.batch == 100
    for row in (compiled, in_numpy):
        assert row.ratio == pytest.approx(1000.0 / row.samples_per_s)


@pytest.mark.slow
def test_forward_mode_and_golden_keep_up_with_backprop() -> None:
    """On MNIST's shape: exact with whichever kernels are installed, and the compiled kernel."""
    pytest.importorskip("torch")
    network, samples = Network((784, 16, 16, 10), "tanh"), noise(5000, 784)
    for row in speed.measure(network, samples, 1000, 0.1, 0.9):
        if row.prune == "off":
            assert row.ratio <= 2.0
    golden, _ = golden_speed.measure(network, samples, Recipe(1, batch=100, lr=0.1, momentum=0.9))
    assert golden.ratio <= 2.0
