# SPDX-License-Identifier: BSD-2-Clause

"""First weights."""

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.contract.network import Network
from dualgate.optim.initialisers import INITIALISERS, initial_master_weights, initial_weights


@pytest.mark.parametrize("name", [None, *INITIALISERS])
def test_the_integer_weights_are_these_rounded(name: str | None) -> None:
    network = Network((30, 20, 10, 5), ("relu", "tanh"), "cce")
    for real, integer in zip(
        initial_weights(network, name, 3), initial_master_weights(network, 3, name), strict=True
    ):
        assert np.array_equal(MASTER.quantize(real, "weight"), integer)


@pytest.mark.parametrize(
    ("name", "deviation"),
    [("kaiming", (2 / 400) ** 0.5), ("glorot", (2 / 700) ** 0.5), ("normal", 400**-0.5)],
)
def test_each_has_its_spread_and_no_bias(name: str, deviation: float) -> None:
    (w,) = initial_weights(Network((400, 300)), name, seed=1)
    assert w.shape == (401, 300)
    assert not w[-1].any()
    assert w[:-1].std() == pytest.approx(deviation, rel=0.01)
    assert abs(w[:-1].mean()) < deviation / 50
    if name != "normal":
        assert np.abs(w).max() <= deviation * 3**0.5


@pytest.mark.parametrize("name", INITIALISERS)
def test_seeds_repeat_and_precisions_agree(name: str) -> None:
    network = Network((4, 5, 2))
    one, same, other = (initial_weights(network, name, seed) for seed in (1, 1, 2))
    single = initial_weights(network, name, 1, np.float32)
    for a, b, c, s in zip(one, same, other, single, strict=True):
        assert np.array_equal(a, b)
        assert not np.array_equal(a, c)
        assert np.array_equal(a.astype(np.float32), s)


def test_an_unknown_name_is_refused() -> None:
    message = r"^unknown initialiser 'zeros'; choose kaiming, glorot, normal$"
    with pytest.raises(InputError, match=message):
        initial_weights(Network((2, 1)), "zeros")
