# SPDX-License-Identifier: BSD-2-Clause

"""An activation that is added in some places only: each other place names itself and it."""

from dataclasses import replace

import pytest
from amaranth import Module, Signal, signed

from dualgate.contract.activations import ACTIVATIONS, TANH, check_codes
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.floating.dual.network import forward
from dualgate_hw.common.activation_rules import value_and_slope
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.compact.parts import Places
from dualgate_hw.compact.program import assemble

HALF_ADDED = replace(TANH, name="swish", code=7)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ACTIVATIONS, "swish", HALF_ADDED)


@pytest.mark.usefixtures("table")
def test_the_lanes_refuse_an_activation_they_lack() -> None:
    z = Signal(signed(16))
    with pytest.raises(InputError, match=r"^activation swish: missing in dualgate_hw/common/activ"):
        value_and_slope(Module(), Signal(3), z, z, z)


@pytest.mark.usefixtures("table")
def test_the_compact_engine_refuses_an_activation_it_lacks() -> None:
    places = Places(Shapes(EngineParameters(4, arrays=1, compact=1), contexts=1))
    with pytest.raises(InputError, match=r"^activation swish: missing in dualgate_hw/compact/prog"):
        assemble(places)


@pytest.mark.usefixtures("table")
def test_dual_numbers_refuse_an_activation_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dualgate.contract.activations.HIDDEN_ACTIVATIONS", ("swish",))
    network = Network((1, 1, 1), "swish", "mse")
    weights = [[[0.5], [0.0]]] * 2
    with pytest.raises(InputError, match=r"^activation swish: missing in dualgate/floating/dual/"):
        forward(network, weights, [1.0])


@pytest.mark.parametrize(("code", "message"), [(4, "code 4 is tanh's"), (8, "does not fit")])
def test_a_code_that_is_taken_or_too_large_names_the_activation(code: int, message: str) -> None:
    with pytest.raises(InputError, match=f"^activation swish: .*{message}"):
        check_codes({**ACTIVATIONS, "swish": replace(HALF_ADDED, code=code)})
