# SPDX-License-Identifier: BSD-2-Clause

"""A simulated board: the compiled link and engine, bytes in and bytes out.

Bytes enter behind the UART, which has tests of its own: a bit at a time would be slow. How long a
byte takes on the line is kept in clock cycles.
"""

import ctypes
import random
from pathlib import Path

from amaranth.lib import wiring

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import InputError
from dualgate.data.directories import cache_directory
from dualgate.link.identity import Identity
from dualgate_hw.identity import build_identity
from dualgate_hw.link.serial.engine import SerialEngine
from dualgate_hw.link.serial.line import LinkParameters
from dualgate_hw.link.serial.uart import FRACTION_BITS, divisor_for

from ..rtl.verilated import library, load

HARNESS = Path(__file__).with_name("board.cpp")

CLOCK_HZ = 25_000_000
"""Clock of the simulated board in Hz, which converts a rate in baud to cycles."""

OUT_BYTES = 1 << 12

assert FRACTION_BITS == 8, "the harness counts in 1/256 of a cycle"


def bit_time(baud: float | None) -> int:
    """Return the time of a bit on the simulated board, in 1/256 of a cycle; 0 for no limit.

    Raises
    ------
    InputError
        For a rate that is impossible with this clock.
    """
    try:
        return 0 if baud is None else divisor_for(CLOCK_HZ, baud)
    except ValueError as error:
        raise InputError(f"the simulated board: {error}") from None


def build(component: wiring.Component, name: str, identity: bytes) -> Path:
    """Compile a component that has a `line`, unless it is in the cache; returns the library."""
    version = build_identity(identity, files=(HARNESS,)).hex()[:16]
    target = cache_directory() / f"{name}-{version}.so"
    return library(target, lambda: component, "board", HARNESS, f"the {name}")


def build_board(engine: EngineParameters, link: LinkParameters) -> Path:
    """Compile a board; returns the library."""
    identity = build_identity(engine, link)
    component = SerialEngine(engine, Identity(engine, identity).words(), link)
    return build(component, "board", identity)


class Board:
    """A running model of a component with a line of bytes.

    Parameters
    ----------
    library : Path
        From `build`.
    bit : int
        From `bit_time`.

    Members
    -------
    cycles : int
        Number of clock cycles so far.
    taken, given : int
        Numbers of bytes so far.
    """

    def __init__(self, library: Path, bit: int = 0) -> None:
        self._bit = bit
        self._library = load(library)
        self._library.board_open.restype = ctypes.c_void_p
        self._library.board_close.argtypes = [ctypes.c_void_p]
        count = ctypes.POINTER(ctypes.c_int64)
        self._library.board_run.restype = ctypes.c_int64
        self._library.board_run.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, count),
            *(ctypes.c_char_p, ctypes.c_int64, count, ctypes.c_int64, ctypes.c_int64),
        ]
        self._handle: int | None = self._library.board_open()
        self._out = ctypes.create_string_buffer(OUT_BYTES)
        self._waiting = b""
        self.cycles = self.taken = self.given = 0

    @property
    def waiting(self) -> int:
        """Number of bytes fed that are not yet transmitted."""
        return len(self._waiting)

    @property
    def seconds(self) -> float:
        """Return the time on the board."""
        return self.cycles / CLOCK_HZ

    def feed(self, data: bytes) -> None:
        """Queue bytes for transmission to the board."""
        self._waiting += data

    def drop_input(self) -> None:
        """Discard the bytes that are not yet transmitted."""
        self._waiting = b""

    def run(self, cycles: int) -> bytes:
        """Run for a number of cycles or until a frame has left; returns the bytes sent."""
        taken, given = ctypes.c_int64(), ctypes.c_int64()
        self.cycles += self._library.board_run(
            *(self._handle, self._waiting, len(self._waiting), ctypes.byref(taken)),
            *(self._out, OUT_BYTES, ctypes.byref(given), cycles, self._bit),
        )
        self._waiting = self._waiting[taken.value :]
        self.taken += taken.value
        self.given += given.value
        return self._out.raw[: given.value]

    def close(self) -> None:
        """End the simulation."""
        if self._handle is not None:
            self._library.board_close(self._handle)
            self._handle = None


class Noise:
    """A channel that corrupts and drops random bytes.

    Parameters
    ----------
    error_rate, drop_rate : float
        Shares of the bytes that change, and that are lost.
    seed : int

    Members
    -------
    corrupted, dropped : int

    Raises
    ------
    InputError
        For a rate outside [0, 1).
    """

    def __init__(self, error_rate: float, drop_rate: float, seed: int) -> None:
        for name, rate in (("error", error_rate), ("drop", drop_rate)):
            if not 0 <= rate < 1:
                raise InputError(f"{name} rate {rate}: give a share of bytes, such as 0.001")
        self._error, self._drop = error_rate, drop_rate
        self._dice = random.Random(seed)
        self.corrupted = self.dropped = 0

    def __call__(self, data: bytes) -> bytes:
        """Return the bytes that arrive when `data` is sent."""
        if not self._error and not self._drop:
            return data
        out = bytearray()
        for byte in data:
            if self._dice.random() < self._drop:
                self.dropped += 1
                continue
            if self._dice.random() < self._error:
                byte ^= self._dice.randrange(1, 256)
                self.corrupted += 1
            out.append(byte)
        return bytes(out)


class BoardPort:
    """A port of the host that is connected to a simulated board, in the time of the board.

    The computations of the host take no time of the board, so the line never waits for them.

    Parameters
    ----------
    board : Board
    there, back : Noise or None
        Noise on the bytes to the board and from it.
    """

    name = "the simulated board"
    reconnects = 0

    def __init__(self, board: Board, there: Noise | None = None, back: Noise | None = None) -> None:
        self.board = board
        self._there = there or Noise(0, 0, 0)
        self._back = back or Noise(0, 0, 0)

    def clock(self) -> float:
        """Return the time on the board in seconds."""
        return self.board.seconds

    def write(self, data: bytes) -> None:
        """Queue bytes for the board."""
        self.board.feed(self._there(data))

    def read(self, seconds: float) -> bytes:
        """Run the board until a frame has left, or for `seconds` of its time."""
        return self._back(self.board.run(max(1, round(seconds * CLOCK_HZ))))

    def drop_input(self) -> None:
        """Do nothing: no bytes wait here."""

    def close(self) -> None:
        """End the simulation."""
        self.board.close()
