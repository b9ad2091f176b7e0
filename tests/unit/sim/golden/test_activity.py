# SPDX-License-Identifier: BSD-2-Clause

"""The account of nonzeros: as many as the golden model counts, and independent of N."""

import numpy as np
import pytest
from hypothesis import given
from support.effort import examples
from support.random_networks import Case, cases
from support.small_engines import prepare

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings
from dualgate.cycles import predict
from dualgate.devices import open_device
from dualgate_sim.golden.activity import activity


@examples(60)
@given(case=cases(batches=1))
def test_rows_follow_from_activity_as_the_golden_model_counts_them(case: Case) -> None:
    ((x, target, chosen, masks),) = case.steps()
    with open_device("golden", neurons=case.neurons) as golden:
        prepare(golden, case)
        golden.set(chosen)
        golden.train(x, target, masks)
        counted = golden.counters()
    seen = activity(case.network, case.weights, chosen, x, target, masks)
    assert seen.samples == len(x)
    assert sum(int(kept.sum()) for c in seen.crossings for kept in c.kept) == counted.kept
    found = predict(case.network, EngineParameters(case.neurons), seen)
    assert found.value == counted.value_rows
    assert found.sums == counted.tangent_rows
    assert found.scaler == counted.scale_rows
    assert found.update == counted.update_rows


def test_an_activity_says_which_and_not_only_how_many() -> None:
    """Two inputs, two tanh layers of two; the worked example of docs/reference/numerics.md."""
    network = Network((2, 2, 2, 2), "tanh")
    real = [
        [[0.5, -1.0], [0.75, 0.25], [0.125, 0]],
        [[1.5, 0.125], [-0.5, 1.0], [0, 0.25]],
        [[1.0, -0.5], [0.25, 2.0], [0, 0]],
    ]
    weights = [np.array(w) * (1 << 28) for w in real]
    x, target = np.array([[2048, -6144]]), np.array([[16384, 0]])
    seen = activity(
        network, [w.astype(np.int64) for w in weights], Settings(26214, 17, 0, 1), x, target
    )
    assert seen.inputs.tolist() == [[2, 2, 2]]
    assert [flags.tolist() for flags in seen.seeds] == [[[True, True]]] * 2
    first, second = seen.crossings
    assert [kept.tolist() for kept in first.kept] == [[[[True, False], [False, True]]]]
    assert [alive.tolist() for alive in first.alive] == [[[True, True]]] * 2
    assert (len(second.alive), len(second.kept)) == (1, 0)
    assert [flags.tolist() for flags in seen.updates] == [[[True, True]]] * 3


def test_weights_of_another_network_are_refused() -> None:
    network = Network((2, 2))
    zero = np.zeros((1, 2), np.int64)
    with pytest.raises(InputError, match=r"^weights have shapes"):
        activity(network, [zero], Settings(1 << 14, 14), zero, zero)
