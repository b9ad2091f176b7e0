# SPDX-License-Identifier: BSD-2-Clause

"""What a board is: a platform, a clock, pins by their resources' names, and the engine it takes."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from amaranth.build import Platform
from amaranth.lib import wiring

from dualgate.contract.engine import Depths, EngineParameters

from ..link.serial.line import LinkParameters
from .clock import Clock

Pin = tuple[str, int] | tuple[str, int, str]
"""Name and number of a resource, and of which part of it, where it has parts."""


@dataclass(frozen=True)
class Capacity:
    """What a part has.

    Parameters
    ----------
    luts, flip_flops : int
        LUTs of four inputs, but six on 7-series.
    block_rams, block_bits : int
        How many, and the bits of one.
    multipliers : int
        Of 16 x 16 bits or a little more.
    """

    luts: int
    flip_flops: int
    block_rams: int
    block_bits: int
    multipliers: int


@dataclass(frozen=True)
class Leds:
    """Resources of up to three LEDs; None where a board has fewer.

    Parameters
    ----------
    alive : blinks about once a second while the clock runs and reset is released
    link : on for a moment with every byte on the line
    training : on while samples are in flight
    """

    alive: Pin | None = None
    link: Pin | None = None
    training: Pin | None = None


@dataclass(frozen=True)
class Board:
    """A board that engines are built for.

    Parameters
    ----------
    name : str
        As the command line has it.
    title : str
        As its maker has it.
    part : str
        The FPGA.
    family : str
        `ecp5`, `ice40`, `gowin` or `xilinx`; see `dualgate_hw.build.families`.
    platform : callable
        Makes the amaranth-boards platform.
    capacity : Capacity
    clock : Clock
    engine : EngineParameters
        What is built unless asked for another.
    depths : Depths
        Samples and tags in flight.
    link : LinkParameters or None
        Of its serial line, if it has one.
    baud : int
        Rate that the board's bridge to USB really does.
    bridge : str
        What that bridge is, or what takes its place.
    uart : Pin
    leds : Leds
    reset : Pin or None
        A button that resets all, link and engine.
    least_mhz : float
        A build that is slower than this fails.
    program : tuple of str
        The command that loads a bitstream, with ``{}`` for its path.
    prepare : callable or None
        Adds resources to the platform that amaranth-boards does not have.
    high : tuple of Pin
        Outputs to hold high.
    part_only : callable or None
        For a part without an open way from netlist to bitstream, makes what is synthesised of it:
        takes the board, the engine and the identity's hash.
    """

    name: str
    title: str
    part: str
    family: str
    platform: Callable[[], Platform]
    capacity: Capacity
    clock: Clock
    engine: EngineParameters
    depths: Depths
    bridge: str
    link: LinkParameters | None = None
    baud: int = 0
    least_mhz: float = 0
    program: tuple[str, ...] = ()
    uart: Pin = ("uart", 0)
    leds: Leds = field(default_factory=Leds)
    reset: Pin | None = None
    prepare: Callable[[Platform], None] | None = None
    high: tuple[Pin, ...] = ()
    part_only: "Callable[[Board, EngineParameters, bytes], wiring.Component] | None" = None

    def identity(self) -> tuple[tuple[str, str], ...]:
        """Every field's name and value; the same in every process, unlike a function's `repr`."""
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return tuple(
            (name, f"{value.__module__}.{value.__qualname__}" if callable(value) else repr(value))
            for name, value in values
        )

    def make_platform(self) -> Platform:
        """A fresh platform with every resource that the top level asks for."""
        platform = self.platform()
        if self.prepare is not None:
            self.prepare(platform)
        return platform
