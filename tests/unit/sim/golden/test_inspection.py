# SPDX-License-Identifier: BSD-2-Clause

"""The account of ranges: as many as the golden model counts, and right in a case by hand."""

import numpy as np
from hypothesis import given
from support.effort import examples
from support.random_networks import Case, cases
from support.small_engines import prepare

from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.devices import open_device
from dualgate_sim.golden.inspection import inspect_batch


@examples(60)
@given(case=cases(batches=1))
def test_kept_and_clipped_are_those_of_the_counters(case: Case) -> None:
    ((x, target, chosen, masks),) = case.steps()
    with open_device("golden", neurons=case.neurons) as golden:
        prepare(golden, case)
        golden.set(chosen)
        outputs = golden.train(x, target, masks)
        counted = golden.counters()
    seen = inspect_batch(case.network, case.weights, chosen, 12, x, target, masks)
    assert seen.samples == len(x)
    entries = sum(crossing.nonzero for crossing in seen.crossings)
    kept = sum(crossing.share() * crossing.nonzero for crossing in seen.crossings)
    assert entries == counted.kept + counted.dropped
    assert round(kept) == counted.kept
    pictures = sum(float(crossing.kept.sum()) for crossing in seen.crossings)
    assert round(pictures * len(x)) == counted.kept
    assert sum(use.sums.clipped for use in seen.layers) == counted.saturated_values
    assert sum(use.updates.clipped for use in seen.layers) == counted.saturated_updates
    bits = int(np.abs(outputs).max()).bit_length()
    assert seen.layers[-1].values.bits == bits


def test_the_worked_example_of_the_numerics() -> None:
    """Two inputs, two tanh layers of two; the worked example of docs/reference/numerics.md."""
    network = Network((2, 2, 2, 2), "tanh")
    real = [
        [[0.5, -1.0], [0.75, 0.25], [0.125, 0]],
        [[1.5, 0.125], [-0.5, 1.0], [0, 0.25]],
        [[1.0, -0.5], [0.25, 2.0], [0, 0]],
    ]
    weights = [(np.array(w) * (1 << 28)).astype(np.int64) for w in real]
    x, target = np.array([[2048, -6144]]), np.array([[16384, 0]])
    seen = inspect_batch(network, weights, Settings(26214, 17, 0, 1), 12, x, target)
    (crossing,) = seen.crossings
    assert (crossing.tag_layer, crossing.layer) == (0, 1)
    # 20830, 1862 -> 20830, 0 and -5872, 12598 -> 0, 12598
    assert crossing.kept.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert crossing.gaps.tolist() == [2, 1, 0, 0, 1] + [0] * 11
    assert [crossing.share(p) for p in (1, 2, 5, PRUNE_OFF)] == [0.5, 0.75, 1.0, 1.0]
    first, second, last = seen.layers
    assert first.tangents is None
    assert second.tangents is not None
    assert second.tangents.bits == 15
    assert first.values.bits == 14  # -10407, -11533
    assert first.updates.bits == 11  # -1526, 1077
    assert last.updates.frac == 12
    assert first.active.tolist() == [1.0, 1.0]
    # The first tag's derivatives at the second layer are 0.6 and 0.05 times its own slope.
    assert second.derivatives[0] <= 1.0


def test_a_dead_unit_and_flat_slopes_are_seen() -> None:
    network = Network((1, 2, 1), "relu", "mse")
    weights = [np.array([[1 << 28, -(1 << 28)], [0, 0]]), np.zeros((3, 1), np.int64)]
    x, target = np.array([[4096], [2048]]), np.array([[0], [0]])
    seen = inspect_batch(network, weights, Settings(1 << 14, 20), 12, x, target)
    assert seen.layers[0].active.tolist() == [1.0, 0.0]
    assert seen.layers[0].flat == 0.5
    assert seen.layers[1].values.bits == 0
