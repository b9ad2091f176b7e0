# SPDX-License-Identifier: BSD-2-Clause

"""Combinational logic of the activations, as `dualgate.contract.activations` defines them."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value

from dualgate.contract.activations import (
    IDENTITY,
    LEAK_SHIFT,
    LEAKY_RELU,
    RELU,
    SIGMOID,
    SOFTMAX,
    STEP,
    TABLE_BITS,
    TANH,
    check_all_here,
)
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH

from .shapes import VALUE

ONE = 1 << UNIT_FRAC

HERE = (IDENTITY, SOFTMAX, RELU, LEAKY_RELU, SIGMOID, TANH, STEP)
"""Activations of `value_and_slope`. The first two leave the pre-activation, as a code would that
nothing here implements."""


def slope_frac(activation: Value) -> Value:
    """Return the number of fraction bits of a slope."""
    return Mux(activation == SIGMOID.code, SIGMOID.slope_frac, UNIT_FRAC)


def table_index(activation: Value, z: Value) -> Value:
    """Return the table address for `z`; it is the last one for every `z` beyond the table."""
    magnitude = Mux(z < 0, -z, z)[:VALUE_WIDTH]
    rounded = Mux(
        activation == TANH.code,
        *((magnitude + (1 << a.index_shift - 1)) >> a.index_shift for a in (TANH, SIGMOID)),
    )
    last = (1 << TABLE_BITS) - 1
    return Mux(rounded > last, last, rounded)[:TABLE_BITS]


def with_sign(h: Value, z: Value) -> Value:
    """Negate `h`, the number that the table has for `z`, if `z` is negative."""
    return Mux(z < 0, -h, h)


def value_and_slope(
    m: Module, activation: Value, z: Value, signed_h: Value, square: Value
) -> tuple[Signal, Signal]:
    """Compute value and slope of a unit.

    Parameters
    ----------
    m : Module
        Module that gets the logic.
    activation : Value
        Code of the activation.
    z : Value
        Pre-activation of the unit.
    signed_h : Value
        Number that the table has for `z`, with its sign by `with_sign`.
    square : Value
        ``round_shift(h * h, 16)``, where `h` is the number from the table.

    Returns
    -------
    tuple of Signal
        Value and slope.

    Raises
    ------
    InputError
        If the table of activations has one that is not implemented here.
    """
    check_all_here((a.name for a in HERE), "dualgate_hw/common/activation_rules.py")
    value, slope = Signal(VALUE), Signal(VALUE)
    m.d.comb += [value.eq(z), slope.eq(ONE)]
    with m.Switch(activation):
        with m.Case(RELU.code):
            m.d.comb += [value.eq(Mux(z > 0, z, 0)), slope.eq(Mux(z > 0, ONE, 0))]
        with m.Case(LEAKY_RELU.code), m.If(z <= 0):
            half = 1 << (LEAK_SHIFT - 1)
            m.d.comb += [value.eq((z + half) >> LEAK_SHIFT), slope.eq(ONE >> LEAK_SHIFT)]
        with m.Case(SIGMOID.code):
            shift = 16 - UNIT_FRAC
            m.d.comb += [
                value.eq(((1 << 15) + signed_h + (1 << shift - 1)) >> shift),
                slope.eq(ONE - square),
            ]
        with m.Case(TANH.code):
            # The magnitude is rounded, so that the half of a negative number is rounded down.
            shift = 15 - UNIT_FRAC
            half = Mux(z < 0, (1 << shift - 1) - 1, 1 << shift - 1)
            m.d.comb += [value.eq((signed_h + half) >> shift), slope.eq(ONE - square)]
        with m.Case(STEP.code):
            m.d.comb += value.eq(Mux(z > 0, ONE, 0))
    return value, slope
