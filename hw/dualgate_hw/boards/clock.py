# SPDX-License-Identifier: BSD-2-Clause

"""Clocks of boards: an oscillator, and a PLL where the engine runs at another rate.

A PLL is described by its dividers. They are checked here against the ranges of the part, so that an
impossible rate is an error before any tool runs.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from amaranth import ClockDomain, ClockSignal, Const, Instance, Module, Signal
from amaranth.hdl import Value
from amaranth.lib import io
from amaranth.lib.cdc import ResetSynchronizer


def _within(what: str, mhz: float, low: float, high: float) -> None:
    if not low <= mhz <= high:
        raise ValueError(f"PLL: {what} at {mhz:g} MHz is outside {low:g} to {high:g} MHz")


@dataclass(frozen=True)
class Clock(ABC):
    """Domain ``sync`` from the board's oscillator.

    Parameters
    ----------
    resource : str
        The platform's name of the oscillator.
    input_mhz : float
        Rate of the oscillator.
    """

    resource: str
    input_mhz: float

    @property
    @abstractmethod
    def mhz(self) -> float:
        """Rate of the domain."""

    @abstractmethod
    def _generate(self, m: Module, pin: io.PortLike, clock: Signal) -> Value:
        """Drive `clock`, and return a bit that is high while it is stable."""

    def create(self, m: Module, platform: object, reset: Value) -> None:
        """Add the domain to a module.

        Parameters
        ----------
        m : Module
        platform : Platform
        reset : Value
            The domain is in reset while this is high, and until the clock is stable.
        """
        pin = platform.request(self.resource, dir="-")  # type: ignore[attr-defined]
        clock = Signal(name="engine_clock")
        stable = self._generate(m, pin, clock)
        m.domains.sync = ClockDomain()
        m.d.comb += ClockSignal().eq(clock)
        m.submodules.reset_sync = ResetSynchronizer(~stable | reset, domain="sync")
        platform.add_clock_constraint(clock, self.mhz * 1e6)  # type: ignore[attr-defined]

    def _buffer(self, m: Module, pin: io.PortLike) -> Value:
        m.submodules.clock_buffer = buffer = io.Buffer("i", pin)
        return buffer.i


@dataclass(frozen=True)
class Oscillator(Clock):
    """A clock at the oscillator's own rate, without a PLL."""

    @property
    def mhz(self) -> float:
        """Rate of the domain."""
        return self.input_mhz

    def _generate(self, m: Module, pin: io.PortLike, clock: Signal) -> Value:
        m.d.comb += clock.eq(self._buffer(m, pin))
        return Const(1)


@dataclass(frozen=True)
class Ecp5Pll(Clock):
    """An EHXPLLL whose output is its feedback: ``input * multiply / divide``.

    Parameters
    ----------
    multiply, divide : int
        CLKFB_DIV and CLKI_DIV.
    output : int
        CLKOP_DIV; the internal oscillator runs at this multiple of the result, 400 to 800 MHz.
    """

    multiply: int
    divide: int
    output: int

    def __post_init__(self) -> None:
        _within("phase detector", self.input_mhz / self.divide, 3.125, 400)
        _within("oscillator", self.mhz * self.output, 400, 800)

    @property
    def mhz(self) -> float:
        """Rate of the domain."""
        return self.input_mhz * self.multiply / self.divide

    def _generate(self, m: Module, pin: io.PortLike, clock: Signal) -> Value:
        locked = Signal()
        zeros = ("RST", "STDBY", "PHASESEL0", "PHASESEL1", "PLLWAKESYNC", "ENCLKOP")
        ones = ("PHASEDIR", "PHASESTEP", "PHASELOADREG")
        m.submodules.pll = Instance(
            "EHXPLLL",
            a_FREQUENCY_PIN_CLKI=f"{self.input_mhz:g}",
            a_FREQUENCY_PIN_CLKOP=f"{self.mhz:g}",
            # The analogue loop's settings are those of the vendor's tools for an integer feedback.
            a_ICP_CURRENT="12",
            a_LPF_RESISTOR="8",
            a_MFG_ENABLE_FILTEROPAMP="1",
            a_MFG_GMCREF_SEL="2",
            p_PLLRST_ENA="DISABLED",
            p_INTFB_WAKE="DISABLED",
            p_STDBY_ENABLE="DISABLED",
            p_DPHASE_SOURCE="DISABLED",
            p_OUTDIVIDER_MUXA="DIVA",
            p_CLKOP_ENABLE="ENABLED",
            p_FEEDBK_PATH="CLKOP",
            p_CLKI_DIV=self.divide,
            p_CLKFB_DIV=self.multiply,
            p_CLKOP_DIV=self.output,
            p_CLKOP_CPHASE=self.output - 1,
            p_CLKOP_FPHASE=0,
            i_CLKI=self._buffer(m, pin),
            i_CLKFB=clock,
            o_CLKOP=clock,
            o_LOCK=locked,
            **{f"i_{name}": Const(0) for name in zeros},
            **{f"i_{name}": Const(1) for name in ones},
        )
        return locked


@dataclass(frozen=True)
class Ice40Pll(Clock):
    """An SB_PLL40_PAD with simple feedback: ``input * (DIVF + 1) / (DIVR + 1) / 2**DIVQ``.

    It is connected to the pin itself, whose pad must therefore have a PLL.

    Parameters
    ----------
    divr, divf, divq : int
    """

    divr: int
    divf: int
    divq: int

    def __post_init__(self) -> None:
        _within("phase detector", self.input_mhz / (self.divr + 1), 10, 133)
        _within("oscillator", self.mhz * (1 << self.divq), 533, 1066)

    @property
    def mhz(self) -> float:
        """Rate of the domain."""
        return self.input_mhz * (self.divf + 1) / (self.divr + 1) / (1 << self.divq)

    def _generate(self, m: Module, pin: io.PortLike, clock: Signal) -> Value:
        locked = Signal()
        m.submodules.pll = Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            p_DIVR=Const(self.divr, 4),
            p_DIVF=Const(self.divf, 7),
            p_DIVQ=Const(self.divq, 3),
            # The filter for a phase detector below 17 MHz.
            p_FILTER_RANGE=Const(1, 3),
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            i_PACKAGEPIN=pin.io,
            o_PLLOUTGLOBAL=clock,
            o_LOCK=locked,
        )
        return locked


@dataclass(frozen=True)
class GowinPll(Clock):
    """An rPLL of a GW1NR-9C: ``input * (FBDIV_SEL + 1) / (IDIV_SEL + 1)``.

    Parameters
    ----------
    fbdiv, idiv : int
    odiv : int
        The internal oscillator runs at this multiple of the result, 400 to 1200 MHz.
    """

    fbdiv: int
    idiv: int
    odiv: int

    def __post_init__(self) -> None:
        _within("phase detector", self.input_mhz / (self.idiv + 1), 3, 400)
        _within("oscillator", self.mhz * self.odiv, 400, 1200)

    @property
    def mhz(self) -> float:
        """Rate of the domain."""
        return self.input_mhz * (self.fbdiv + 1) / (self.idiv + 1)

    def _generate(self, m: Module, pin: io.PortLike, clock: Signal) -> Value:
        locked = Signal()
        zeros = {"CLKFB": 1, "RESET": 1, "RESET_P": 1, "FBDSEL": 6, "IDSEL": 6, "ODSEL": 6}
        zeros |= {"DUTYDA": 4, "PSDA": 4, "FDLY": 4}
        m.submodules.pll = Instance(
            "rPLL",
            p_FCLKIN=f"{self.input_mhz:g}",
            p_FBDIV_SEL=self.fbdiv,
            p_IDIV_SEL=self.idiv,
            p_ODIV_SEL=self.odiv,
            p_CLKFB_SEL="internal",
            p_DEVICE="GW1NR-9C",
            i_CLKIN=self._buffer(m, pin),
            o_CLKOUT=clock,
            o_LOCK=locked,
            **{f"i_{name}": Const(0, width) for name, width in zeros.items()},
        )
        return locked
