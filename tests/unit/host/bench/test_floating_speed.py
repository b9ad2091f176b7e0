# SPDX-License-Identifier: BSD-2-Clause

"""The speed of forward mode beside PyTorch."""

import sys
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from dualgate.bench import floating_speed as speed
from dualgate.contract.errors import MissingToolError
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.floating.kernels import NUMPY


@pytest.fixture
def fixed_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyTorch of 1,000 samples a second."""
    pytest.importorskip("threadpoolctl")
    monkeypatch.setattr(speed, "torch_samples_per_s", lambda *_: ("9.9", 1000.0))


def noise(samples: int, inputs: int) -> Samples:
    random = np.random.default_rng(0)
    x = random.random((samples, inputs)) * (random.random((samples, inputs)) < 0.2)
    return Samples.of_classes(x, random.integers(0, 10, samples), 10)


@pytest.mark.usefixtures("fixed_torch")
def test_each_row_is_a_ratio_to_the_epoch_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed, "_installed", lambda: iter([NUMPY]))
    network = Network((20, 8, 8, 10), "tanh")
    rows = list(speed.measure(network, noise(300, 20), 100, 0.1, 0.9, rounds=1))
    assert [(row.kernels, row.prune) for row in rows] == [("numpy", "off"), ("numpy", "1/4")]
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
    assert lines[2].split()[:2] == ["numpy", "off"]
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


@pytest.mark.slow
def test_forward_mode_takes_at_most_twice_the_time_of_backpropagation() -> None:
    """On MNIST's shape, in batches of 1,000: exact, with whichever kernels are installed."""
    pytest.importorskip("torch")
    network = Network((784, 16, 16, 10), "tanh")
    for row in speed.measure(network, noise(5000, 784), 1000, 0.1, 0.9):
        if row.prune == "off":
            assert row.ratio <= 2.0
