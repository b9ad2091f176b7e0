# SPDX-License-Identifier: BSD-2-Clause

"""Settings: the learning rate as a mantissa and a shift, momentum, pruning by name."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER_FRAC, RATE_WIDTH
from dualgate.contract.layout import Layout
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.contract.settings import (
    MAX_ERROR,
    PRUNE_OFF,
    make_settings,
    parse_prune,
    prune_name,
    update_frac,
)

NETWORK = Network((8, 5, 3))


def rate_of(network: Network, frac: int, mantissa: int, shift: int) -> float:
    """What an error of one (real) becomes as a real update scalar."""
    return mantissa * 2.0 ** (network.error_frac - shift - frac)


@given(
    st.sampled_from(sorted(LOSSES)),
    st.floats(1e-4, 50),
    st.integers(1, 1000),
    st.floats(0.01, 1.0),
)
def test_the_rate_is_right_to_its_mantissa(loss: str, lr: float, batch: int, share: float) -> None:
    network = Network((8, 5, 3), loss=loss)
    frac = update_frac(network, lr, batch)
    assume(frac + network.layers[0].in_frac - MASTER_FRAC < 40)
    settings = make_settings(network, frac, lr * share, batch)
    assert 1 << (RATE_WIDTH - 1) <= settings.rate_mantissa < 1 << RATE_WIDTH
    assert 0 <= settings.rate_shift < 64
    want = lr * share / batch * network.objective.scale(3)
    got = rate_of(network, frac, settings.rate_mantissa, settings.rate_shift)
    assert got == pytest.approx(want, rel=1.01 * 2.0**-RATE_WIDTH)


@given(st.sampled_from(sorted(LOSSES)), st.floats(1e-3, 50), st.integers(1, 1000))
def test_update_scalars_have_room_above_the_largest_error_and_use_it(
    loss: str, lr: float, batch: int
) -> None:
    network = Network((8, 5, 3), loss=loss)
    frac = update_frac(network, lr, batch)
    largest = lr / batch * network.objective.scale(3) * MAX_ERROR[loss] * 4 * 2.0**frac
    lowest = min(layer.in_frac for layer in network.layers)
    if frac > 12 - lowest:
        assert 1 << 14 < largest <= (1 << 15) * (1 + 1e-12)
    Layout(network, EngineParameters(), frac)


def test_a_large_rate_never_asks_for_a_left_shift_of_the_velocity() -> None:
    frac = update_frac(NETWORK, 1e6, 1)
    descriptors = Layout(NETWORK, EngineParameters(), frac).descriptors
    assert min(d["apply_shift"] for d in descriptors) == 0


def test_momentum_is_a_fraction_that_never_reaches_one() -> None:
    frac = update_frac(NETWORK, 0.1, 10)
    of = [make_settings(NETWORK, frac, 0.1, 10, m).momentum for m in (0.0, 0.5, 0.9, 0.9999999)]
    assert of == [0, 1 << 14, round(0.9 * 32768), 32767]


@pytest.mark.parametrize("momentum", [-0.1, 1.0, math.nan])
def test_momentum_outside_its_range_is_refused(momentum: float) -> None:
    with pytest.raises(InputError, match=r"^momentum .*: give a number from 0 to below 1$"):
        make_settings(NETWORK, 12, 0.1, 10, momentum)


@pytest.mark.parametrize("lr", [0.0, -1.0, math.nan, math.inf])
def test_a_rate_that_is_not_above_zero_is_refused(lr: float) -> None:
    with pytest.raises(InputError, match=r"^learning rate .*: give a number above 0$"):
        update_frac(NETWORK, lr, 10)
    with pytest.raises(InputError, match=r"^learning rate .*: give a number above 0$"):
        make_settings(NETWORK, 12, lr, 10)


def test_a_batch_without_samples_is_refused() -> None:
    with pytest.raises(InputError, match=r"^batch of 0: give at least 1 sample$"):
        update_frac(NETWORK, 0.1, 0)


@pytest.mark.parametrize(
    ("lr", "weight", "message"),
    [
        (1e8, 1.0, "learning rate 1e[+]08 is too large to be represented; lower it"),
        (1e-21, 1.0, "learning rate 1e-21 is too small to be represented; raise it"),
        (
            0.1,
            1e9,
            "class weight 1e[+]09 is too large to be represented with learning rate 0.1",
        ),
        (
            0.1,
            1e-30,
            "class weight 1e-30 is too small to be represented with learning rate 0.1",
        ),
        (1e6, 1e308, "class weight 1e[+]308 is too large to be"),
        (1e-9, 5e-324, "class weight 4.94066e-324 is too small to be"),
    ],
)
def test_a_rate_far_from_the_run_s_is_refused_as_it_was_given(
    lr: float, weight: float, message: str
) -> None:
    frac = update_frac(NETWORK, 0.1, 10)
    with pytest.raises(InputError, match=f"^{message}"):
        make_settings(NETWORK, frac, lr, 10, weight=weight)


def test_a_class_weight_is_a_factor_of_the_rate() -> None:
    frac = update_frac(NETWORK, 0.1, 10, 4.0)
    assert frac == update_frac(NETWORK, 0.4, 10)
    assert make_settings(NETWORK, frac, 0.1, 10, weight=4.0) == make_settings(
        NETWORK, frac, 0.4, 10
    )


@pytest.mark.parametrize("prune", [0, 16, -1])
def test_pruning_outside_its_range_is_refused(prune: int) -> None:
    with pytest.raises(InputError, match=r"^prune .*: give 1 to 14, or 15 for off$"):
        make_settings(NETWORK, 12, 0.1, 10, prune=prune)


def test_pruning_is_read_as_it_is_written() -> None:
    assert [parse_prune(text) for text in ("off", "1/2", "1/8")] == [PRUNE_OFF, 1, 3]
    for prune in range(1, PRUNE_OFF + 1):
        assert parse_prune(prune_name(prune)) == prune


@pytest.mark.parametrize("text", ["", "1/3", "on", "1/1", "0.3", "1e999", "nan", "1/32768"])
def test_an_unknown_pruning_is_refused_with_the_choices(text: str) -> None:
    with pytest.raises(
        InputError, match=r"choose off, 1/2, 1/4, 1/8 \.\.\. 1/16384, or 0\.5, 0\.25 \.\.\.$"
    ):
        parse_prune(text)
