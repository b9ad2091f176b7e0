# SPDX-License-Identifier: BSD-2-Clause

"""The compiled golden model against the one in numpy: the same bits, the same counts."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.effort import examples
from support.random_networks import Case, cases, gentle_case

from dualgate.contract.errors import DeviceError, InputError, MissingToolError
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.devices import Counters, open_device
from dualgate_sim.golden import compiled
from dualgate_sim.golden.arithmetic import NumpyArithmetic
from dualgate_sim.golden.compiled import CompiledArithmetic
from dualgate_sim.golden.device import GoldenDevice

pytestmark = pytest.mark.slow


def results(case: Case, kernel: str, neurons: int, lanes: int = 1) -> tuple[list[Any], Counters]:
    """All that a device returns, and its counters."""
    found: list[Any] = []
    with GoldenDevice(neurons, kernel, tangent_lanes=lanes) as device:
        device.configure(case.network, case.update_frac)
        device.write_weights(case.weights)
        device.write_velocity(case.velocity)
        for x, target, chosen, masks in case.steps():
            device.set(chosen)
            found.append(device.train(x, target, masks).tolist())
            found.append([v.tolist() for v in device.read_velocity()])
            device.apply()
            found.append([w.tolist() for w in device.read_weights()])
            found.append([v.tolist() for v in device.read_velocity()])
            found.append(device.infer(x).tolist())
        return found, device.counters()


@examples(1000)
@given(cases(max_layers=5, max_width=20), st.data())
def test_extreme_networks_have_the_same_bits_and_counts(case: Case, data: st.DataObject) -> None:
    lanes = data.draw(st.sampled_from([k for k in (1, 2, 4) if k <= case.neurons]))
    specified, counts = results(case, "numpy", case.neurons, lanes)
    assert results(case, "compiled", case.neurons, lanes) == (specified, counts)
    event(f"saturations: {'some' if counts.saturations else 'none'}")
    event(f"dropped: {'some' if counts.dropped else 'none'}")


@pytest.mark.parametrize("prune", [1, 2, PRUNE_OFF])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize(
    "network",
    [
        Network((30, 40, 71, 33), ("tanh", "relu"), "cce"),
        Network((50, 9, 100), "sigmoid", "sigmoid-mse", frozen=(0,)),
        Network((3, 17, 31, 5), ("leaky_relu", "identity"), "mse", frozen=(1,)),
        Network((70, 49), loss="bce"),
    ],
    ids=lambda network: "-".join(map(str, network.sizes)),
)
def test_wide_layers_and_long_batches_have_the_same_bits_and_counts(
    network: Network, dropout: float, prune: int
) -> None:
    masked = dropout if network.hidden else 0.0
    case = gentle_case(network, 300, 2, prune, seed=5, dropout=masked)
    assert results(case, "compiled", 16, 2) == results(case, "numpy", 16, 2)


def opened(network: Network, **options: Any) -> GoldenDevice:
    device = GoldenDevice(**options)
    device.configure(network, 12)
    return device


def test_the_kernel_can_be_chosen() -> None:
    network = Network((2, 3, 1))
    assert isinstance(opened(network, kernel="numpy").state, NumpyArithmetic)
    assert isinstance(opened(network, kernel="compiled").state, CompiledArithmetic)
    assert isinstance(opened(network).state, CompiledArithmetic)
    with pytest.raises(InputError, match=r"^unknown kernel 'fast'; choose auto, compiled, numpy$"):
        open_device("golden?kernel=fast")


def test_without_a_compiler_numpy_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "library", compiled.library.__wrapped__)
    monkeypatch.setenv("PATH", os.devnull)
    network = Network((2, 3, 1))
    assert isinstance(opened(network).state, NumpyArithmetic)
    with pytest.raises(MissingToolError, match=r"^g\+\+ is missing; install it"):
        opened(network, kernel="compiled")


def test_a_compiler_that_fails_leaves_numpy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "kernel"
    wrong.mkdir()
    (wrong / "entry.cpp").write_text("no C++")
    monkeypatch.setattr(compiled, "library", compiled.library.__wrapped__)
    monkeypatch.setattr(compiled, "KERNEL", wrong)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    network = Network((2, 3, 1))
    assert isinstance(opened(network).state, NumpyArithmetic)
    with pytest.raises(DeviceError, match="failed while compiling the golden model; see"):
        opened(network, kernel="compiled")


def test_a_library_that_cannot_be_loaded_leaves_numpy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def keep(made: Path, target: Path) -> None:
        target.write_text("no library")

    monkeypatch.setattr(compiled, "library", compiled.library.__wrapped__)
    monkeypatch.setattr(compiled, "keep", keep)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    network = Network((2, 3, 1))
    assert isinstance(opened(network).state, NumpyArithmetic)
    with pytest.raises(DeviceError, match="the compiled golden model cannot be loaded"):
        opened(network, kernel="compiled")


@pytest.mark.parametrize("kernel", ["compiled", "numpy"])
def test_arrays_of_another_shape_are_refused(kernel: str) -> None:
    device = opened(Network((2, 3, 1)), kernel=kernel)
    device.set(Settings(1 << 14, 14))
    right, narrow = np.zeros((4, 2), np.int64), np.zeros((4, 1), np.int64)
    with pytest.raises(InputError, match=r"^inputs have shape \(4, 1\); give \(4, 2\)$"):
        device.train(narrow, narrow)
    with pytest.raises(InputError, match=r"^targets have shape \(4, 2\); give \(4, 1\)$"):
        device.train(right, right)
    with pytest.raises(InputError, match=r"^targets have shape \(3, 1\); give \(4, 1\)$"):
        device.train(right, narrow[:3])
    with pytest.raises(InputError, match=r"^inputs have shape \(4, 1\); give \(4, 2\)$"):
        device.infer(narrow)
    with pytest.raises(InputError, match="weights of layer 0 are not integers of 32 bits"):
        device.write_weights([np.full((3, 3), 1 << 31), np.zeros((4, 1), np.int64)])


def test_slices_and_other_orders_of_arrays_are_read_rightly() -> None:
    network = Network((6, 5, 4), "tanh")
    random = np.random.default_rng(2)
    x, target = random.integers(-999, 999, (20, 12)), random.integers(0, 99, (4, 20)).T
    weights = [np.asfortranarray(random.integers(-1 << 28, 1 << 28, s)) for s in ((7, 5), (6, 4))]
    found = []
    for kernel in ("compiled", "numpy"):
        device = opened(network, kernel=kernel)
        device.write_weights(weights)
        device.set(Settings(1 << 14, 14))
        outputs = device.train(x[:, ::2], target)
        found.append((outputs.tolist(), [v.tolist() for v in device.read_velocity()]))
    assert found[0] == found[1]
