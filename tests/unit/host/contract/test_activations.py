# SPDX-License-Identifier: BSD-2-Clause

"""The integer rules against their mathematics, within stated bounds."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.activations import (
    ACTIVATIONS,
    EXP_TABLE,
    HIDDEN_ACTIVATIONS,
    LEAKY_RELU,
    ONE,
    RELU,
    SIGMOID,
    SIGMOID_TABLE,
    SOFTMAX,
    STEP,
    TANH,
    UNIT_FRAC,
    find_activation,
    reciprocal,
    softmax_rule,
)
from dualgate.contract.errors import InputError
from dualgate.contract.losses import LOSSES, find_loss

ALL_Z = np.arange(-(1 << 15), 1 << 15)
LINEAR_FRAC = 10


def in_reals(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pre-activations, values and slopes of a rule over its whole domain, as real numbers."""
    kind = ACTIVATIONS[name]
    z_frac = LINEAR_FRAC if kind.z_frac < 0 else kind.z_frac
    out_frac = z_frac if kind.out_frac < 0 else kind.out_frac
    value, slope = kind.rule(ALL_Z)
    return ALL_Z * 2.0**-z_frac, value * 2.0**-out_frac, slope * 2.0**-kind.slope_frac


# Half a step of the table, 2**-9 (2**-10 for tanh, which reads it at 2 x), times the steepest slope
# of what is read, and the roundings. The slope of tanh errs most beyond the table, where it stays
# at 22 / 2**14 instead of falling to zero.
BOUNDS = {
    "identity": (0.0, 0.0),
    "relu": (0.0, 0.0),
    "leaky_relu": (2.0 ** -(LINEAR_FRAC + 1), 0.0),
    "sigmoid": (0.25 * 2.0**-9 + 2.0**-14, 0.0963 * 2.0**-9 + 2.0**-15),
    "tanh": (2.0**-10 + 2.0**-14, 22 * 2.0**-14),
}


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_a_rule_is_within_its_bound_of_the_mathematics(name: str) -> None:
    z, value, slope = in_reals(name)
    value_bound, slope_bound = BOUNDS[name]
    assert np.abs(value - ACTIVATIONS[name].value(z)).max() <= value_bound
    assert np.abs(slope - ACTIVATIONS[name].derivative(z)).max() <= slope_bound


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_values_and_slopes_fit_16_bits_and_slopes_lie_in_zero_to_one(name: str) -> None:
    value, slope = ACTIVATIONS[name].rule(ALL_Z)
    assert value.min() >= -(1 << 15)
    assert value.max() < 1 << 15
    assert slope.min() >= 0
    assert slope.max() <= ONE


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_values_never_fall(name: str) -> None:
    assert (np.diff(ACTIVATIONS[name].rule(ALL_Z)[0]) >= 0).all()


def test_tanh_is_odd_and_sigmoid_symmetric_about_a_half() -> None:
    positive = ALL_Z[ALL_Z > 0][:-1]
    tanh, sigmoid = TANH.rule, SIGMOID.rule
    assert np.array_equal(tanh(positive)[0], -tanh(-positive)[0])
    assert np.array_equal(tanh(positive)[1], tanh(-positive)[1])
    total = sigmoid(positive)[0] + sigmoid(-positive)[0]
    assert set((total - ONE).tolist()) <= {0, 1}  # a half rounds upwards twice
    assert np.array_equal(sigmoid(positive)[1], sigmoid(-positive)[1])


def test_slopes_of_one_half_and_a_quarter_are_exact_at_zero() -> None:
    zero = np.array([0])
    assert [a.tolist() for a in SIGMOID.rule(zero)] == [[ONE // 2], [ONE]]
    assert [a.tolist() for a in TANH.rule(zero)] == [[0], [ONE]]
    assert [a.tolist() for a in RELU.rule(zero)] == [[0], [0]]
    assert LEAKY_RELU.rule(zero)[1].tolist() == [ONE >> 7]


def test_tables_are_the_documented_ones() -> None:
    """CRC-32 of the entries as little-endian 16-bit words; docs/reference/numerics.md states it."""
    assert zlib.crc32(struct.pack("<2048H", *SIGMOID_TABLE)) == 0x060D7BAB
    assert zlib.crc32(struct.pack("<2048H", *EXP_TABLE)) == 0x925645CE


@given(st.integers(1, (1 << 31) - 1))
def test_reciprocal_has_at_most_17_bits_and_errs_by_less_than_one(total: int) -> None:
    inverse, bits = (int(a) for a in reciprocal(np.array(total)))
    assert bits == total.bit_length()
    assert 1 << 15 <= inverse <= 1 << 16
    assert inverse * total <= 1 << (bits + 15) < (inverse + 1) * total


@given(st.lists(st.integers(-(1 << 15), (1 << 15) - 1), min_size=1, max_size=40))
def test_softmax_adds_to_one_within_a_unit_a_class(z: list[int]) -> None:
    p = softmax_rule(np.array(z))
    assert p.min() >= 0
    assert abs(int(p.sum()) - ONE) <= len(z)
    assert p[int(np.argmax(z))] == p.max()


@given(st.lists(st.integers(0, 8188), min_size=1, max_size=20))
def test_softmax_is_within_its_bound_of_the_mathematics(z: list[int]) -> None:
    """Half a step of the table in each exponent moves p by 2 * 2**-9 * p (1 - p) at most."""
    p = softmax_rule(np.array([z]))[0] / ONE
    real = SOFTMAX.value(np.array([z]) * 2.0**-SOFTMAX.z_frac)[0]
    assert np.abs(p - real).max() <= 2.0**-10 + 2.0**-13 + len(z) * 2.0**-16


def test_a_class_eight_below_the_largest_gets_nothing() -> None:
    assert softmax_rule(np.array([[0, -8189]]))[0, 1] > 0
    assert softmax_rule(np.array([[0, -8190]])).tolist() == [[ONE, 0]]


def test_softmax_of_equal_numbers_is_even_and_of_one_class_is_one() -> None:
    assert softmax_rule(np.array([[7, 7, 7, 7]])).tolist() == [[4096] * 4]
    assert softmax_rule(np.array([[-32768]])).tolist() == [[ONE]]


def test_softmax_is_refused_as_an_elementwise_rule() -> None:
    with pytest.raises(TypeError, match="use softmax_rule"):
        SOFTMAX.rule(ALL_Z)


def test_losses_know_their_scale() -> None:
    names = ("mse", "sigmoid-mse", "bce", "cce", "perceptron")
    assert [LOSSES[n].scale(4) for n in names] == [0.5, 0.5, 0.25, 1, 1]
    assert [LOSSES[n].classes for n in names] == [False, True, True, True, True]
    assert [LOSSES[n].probable for n in names] == [False, True, True, True, False]


def test_a_step_is_one_above_zero_and_only_there() -> None:
    value, _ = STEP.rule(ALL_Z)
    assert (value == np.where(ALL_Z > 0, ONE, 0)).all()
    assert STEP.value(np.array([-0.5, 0.0, 1e-9])).tolist() == [0.0, 0.0, 1.0]


def test_the_perceptron_counts_mistakes() -> None:
    y, t = (
        np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 1.0]]),
        np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]]),
    )
    assert LOSSES["perceptron"].value(y, t).tolist() == [2.0, 0.0]


def test_a_probability_that_rounded_to_zero_has_a_finite_loss() -> None:
    y, t = np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]])
    largest = -np.log(2.0 ** -(UNIT_FRAC + 1))
    assert LOSSES["cce"].value(y, t) == pytest.approx(largest)
    assert LOSSES["bce"].value(y, t) == pytest.approx(largest, rel=1e-5)


def test_msle_is_mse_on_the_logarithm_of_one_plus_the_target() -> None:
    loss = LOSSES["msle"]
    t = np.array([[0.0, 1.0, 999.0]])
    np.testing.assert_allclose(loss.inverse(loss.transformed(t)), t, rtol=1e-14)
    z = np.log1p([[1.0, 1.0, 99.0]])
    assert loss.value(z, loss.transformed(t)) == pytest.approx(
        ((np.log([2, 2, 100]) - np.log([1, 2, 1000])) ** 2).mean()
    )
    assert (loss.output, loss.sloped, loss.scale(4)) == (
        LOSSES["mse"].output,
        LOSSES["mse"].sloped,
        LOSSES["mse"].scale(4),
    )
    with pytest.raises(InputError, match=r"^target -1: msle needs .* above -1; use another loss$"):
        loss.transformed([[0.0, -1.0]])


def test_unknown_names_are_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match=r"^unknown activation 'softmax'; choose identity, relu"):
        find_activation("softmax")
    with pytest.raises(InputError, match=r"^hidden units cannot have the activation step"):
        find_activation("step")
    with pytest.raises(
        InputError,
        match=r"^unknown loss 'l1'; choose mse, sigmoid-mse, msle, bce, cce, perceptron$",
    ):
        find_loss("l1")
    assert find_activation("tanh") is TANH
    assert find_loss("mse") is LOSSES["mse"]
