# SPDX-License-Identifier: BSD-2-Clause

"""Claims about gateware that hold for every input in every cycle."""

from pathlib import Path

from amaranth import Module
from amaranth.hdl import Assert, Assume, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from support.proofs import prove


class Claims(wiring.Component):
    """A module with free inputs, and claims about it.

    Parameters
    ----------
    m : Module
        The module.
    free : Value
        Signals of the module that can have any value in any cycle.
    """

    def __init__(self, m: Module, *free: Value) -> None:
        self._m = m
        self._free = free
        super().__init__({f"free_{i}": In(value.shape()) for i, value in enumerate(free)})
        for index, value in enumerate(free):
            m.d.comb += value.eq(getattr(self, f"free_{index}"))

    def given(self, *conditions: Value) -> None:
        """Restrict the inputs to those for which all conditions hold."""
        self._m.d.comb += [Assume(condition) for condition in conditions]

    def claim(self, *conditions: Value) -> None:
        """Claim that all conditions hold in every cycle."""
        self._m.d.comb += [Assert(condition) for condition in conditions]

    def elaborate(self, platform: object) -> Module:
        return self._m

    def prove(self, directory: Path) -> None:
        """Raise `AssertionError` unless a proof by induction over three cycles is found."""
        prove(self, 3, directory)
