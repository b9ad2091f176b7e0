# SPDX-License-Identifier: BSD-2-Clause

"""Description of a board: its platform, clock, pins and the engine that is built for it."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields

from amaranth.build import Platform
from amaranth.lib import wiring

from dualgate.contract.engine import Depths, EngineParameters

from ..link.serial.line import LinkParameters
from .clock import Clock

Pin = tuple[str, int] | tuple[str, int, str]
"""Name and number of a resource, then the name of one part of it if it has parts."""


@dataclass(frozen=True)
class Capacity:
    """Resources of a part.

    Parameters
    ----------
    luts, flip_flops : int
        LUTs have four inputs, on 7-series six.
    block_rams, block_bits : int
        Number of block RAMs, and bits in one.
    multipliers : int
        Number of multipliers of 16 x 16 bits or a little more.
    """

    luts: int
    flip_flops: int
    block_rams: int
    block_bits: int
    multipliers: int


@dataclass(frozen=True)
class Leds:
    """Resources of up to three LEDs; None for an LED that a board lacks.

    Parameters
    ----------
    alive : Pin or None
        Blinks about once a second while the clock runs and reset is released.
    link : Pin or None
        Lights for a moment with every byte on the line.
    training : Pin or None
        Lights while samples are in progress.
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
        Name on the command line.
    title : str
        The maker's name of the board.
    part : str
        Name of the FPGA.
    family : str
        `ecp5`, `ice40`, `gowin` or `xilinx`; see `dualgate_hw.build.families`.
    platform : callable
        Returns a new platform of amaranth-boards.
    capacity : Capacity
    clock : Clock
    engine : EngineParameters
        The engine that is built unless the user asks for another.
    depths : Depths
        Numbers of samples and tags in progress.
    link : LinkParameters or None
        Parameters of its serial link; None without a serial line.
    baud : int
        A rate that the board's bridge to USB reaches in practice.
    bridge : str
        Name of that bridge, or of its replacement.
    uart : Pin
    leds : Leds
    reset : Pin or None
        A button that resets link and engine.
    program : tuple of str
        The command that loads a bitstream, with ``{}`` for its path.
    prepare : callable or None
        Adds resources to the platform that amaranth-boards does not have.
    high : tuple of Pin
        Outputs to hold high.
    part_only : callable or None
        For a part that no open tool places, returns the component that is synthesised alone. It
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
    program: tuple[str, ...] = ()
    uart: Pin = ("uart", 0)
    leds: Leds = field(default_factory=Leds)
    reset: Pin | None = None
    prepare: Callable[[Platform], None] | None = None
    high: tuple[Pin, ...] = ()
    part_only: "Callable[[Board, EngineParameters, bytes], wiring.Component] | None" = None

    def identity(self) -> tuple[tuple[str, str], ...]:
        """Return each field's name and value as text that is the same in every process.

        The `repr` of a function is not: it contains an address.
        """
        values = ((item.name, getattr(self, item.name)) for item in fields(self))
        return tuple(
            (name, f"{value.__module__}.{value.__qualname__}" if callable(value) else repr(value))
            for name, value in values
        )

    def make_platform(self) -> Platform:
        """Return a new platform with every resource that the top level requests."""
        platform = self.platform()
        if self.prepare is not None:
            self.prepare(platform)
        return platform
