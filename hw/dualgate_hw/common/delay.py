# SPDX-License-Identifier: BSD-2-Clause

"""Chains of registers."""

from amaranth import Module, Signal
from amaranth.hdl import Value


def delay(m: Module, value: Value, cycles: int) -> Value:
    """Return `value`, delayed by `cycles` registers."""
    for _ in range(cycles):
        later = Signal.like(value, name="delayed")
        m.d.sync += later.eq(value)
        value = later
    return value
