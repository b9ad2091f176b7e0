# SPDX-License-Identifier: BSD-2-Clause

"""A board on PCIe: its command stream passes through the window of its BAR, word by word."""

import time

import numpy as np

from ..contract.commands import MAGIC, Words
from ..contract.errors import DeviceError, HandshakeError, LinkError
from ..link.bar import (
    ALL_ONES,
    LEVEL_BITS,
    MAP_VERSION,
    WORD_BYTES,
    Control,
    Register,
    Status,
)
from ..link.health import Health
from ..link.identity import Identity, accept
from ..link.mapped import MappedBar, WordAccess, resource
from ..link.responses import Responses
from .stream import StreamDevice

TIMEOUT = 5.0
"""Time in seconds without the transfer of a word after which a board has failed."""


class BarDevice(StreamDevice):
    """An engine behind a BAR, with any access to that BAR.

    Opening the device resets the command stream, which an earlier host may have left unfinished.

    Parameters
    ----------
    bar : WordAccess
    build : str or None
        Hexadecimal digits that the build identity of the device must begin with.
    timeout : float
        Longest time in seconds without the transfer of a word.

    Members
    -------
    board : Identity

    Raises
    ------
    HandshakeError
        If the device is no board, or is incompatible with this host.
    LinkError
        If the device does not respond.
    """

    def __init__(self, bar: WordAccess, build: str | None = None, timeout: float = TIMEOUT) -> None:
        super().__init__()
        self._bar = bar
        self._timeout = timeout
        self._sent = self._received = 0
        self._round_trip: float | None = None
        self.board = self._connect(build)
        self._engine = self.board.engine
        self._beat = self._register(Register.BEAT)
        self.reset()

    def _connect(self, build: str | None) -> Identity:
        magic = self._register(Register.MAGIC)
        if magic != MAGIC:
            raise HandshakeError(
                f"the BAR begins with {magic:#010x}, a board's with {MAGIC:#010x}; "
                "check the address and that the board's bitstream is loaded"
            )
        version = self._register(Register.MAP_VERSION)
        if version != MAP_VERSION:
            raise HandshakeError(
                f"the board has version {version} of the register map, this host {MAP_VERSION}; "
                "rebuild one of them"
            )
        count = self._register(Register.IDENTITY_WORDS)
        first = int(Register.IDENTITY)
        return accept([self._bar.read(first + WORD_BYTES * i) for i in range(count)], build)

    def _register(self, register: Register) -> int:
        """Read a register that is never all ones."""
        started = time.perf_counter()
        value = self._bar.read(register)
        self._round_trip = time.perf_counter() - started
        if value == ALL_ONES:
            raise LinkError(
                "the BAR reads as all ones: the board has left the bus, or its memory is not "
                "enabled; rescan the bus"
            )
        return value

    def reset(self) -> None:
        """Empty the queues of the board and reset its engine, which loses its configuration."""
        self._bar.write(Register.CONTROL, Control.RESET)
        self._register(Register.STATUS)

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        # An engine that takes several words per cycle waits until it has all of them.
        outgoing = np.pad(words, (0, -len(words) % self._beat))
        wanted, received = Responses(responses), bytearray()
        sent, moved = 0, time.monotonic()
        while sent < len(outgoing) or not wanted.whole(received):
            levels = self._register(Register.LEVELS)
            free, waiting = levels & (1 << LEVEL_BITS) - 1, levels >> LEVEL_BITS
            if len(received) + WORD_BYTES * waiting > WORD_BYTES * capacity:
                raise DeviceError("the board sends more than the responses can have; open it again")
            part = outgoing[sent : sent + free]
            self._bar.send(part)
            received += self._bar.receive(waiting).astype("<u4").tobytes()
            sent += len(part)
            if len(part) or waiting:
                moved = time.monotonic()
            elif time.monotonic() - moved > self._timeout:
                raise LinkError(
                    f"the board has not answered for {self._timeout:g} s; open it again to reset it"
                )
        lost = self._register(Register.STATUS)
        if lost:
            raise LinkError(f"the board reports {Status(lost).name}; open it again to reset it")
        self._sent += len(outgoing)
        self._received += len(received) // WORD_BYTES
        return np.frombuffer(received, "<u4").astype(np.uint32)

    def health(self) -> Health:
        """Return the state of the link; the round trip is the last read of a register."""
        return Health(
            bytes_sent=WORD_BYTES * self._sent,
            bytes_received=WORD_BYTES * self._received,
            words_sent=self._sent,
            words_received=self._received,
            round_trip_s=self._round_trip,
        )

    def about(self) -> dict[str, str]:
        """Return the parameters of the board's engine and its build identity."""
        parameters = {name: str(value) for name, value in vars(self.board.engine).items()}
        return {**parameters, "build": self.board.build.hex()[:16]}

    def close(self) -> None:
        self._bar.close()


class PcieDevice(BarDevice):
    """A board at a PCI address of this machine.

    Parameters
    ----------
    address : str
        PCI address as lspci shows it, such as ``0000:01:00.0``.
    build : str or None
        See `BarDevice`.
    timeout : float or str
        See `BarDevice`.
    neurons
        Ignored, since the engine of the board is given.

    Raises
    ------
    InputError
        If `address` is no PCI address.
    DeviceError
        If there is no such device, it is in use, or access is denied; see also `BarDevice`.
    """

    def __init__(
        self,
        address: str = "",
        build: str | None = None,
        timeout: float | str = TIMEOUT,
        neurons: int | str | None = None,
    ) -> None:
        bar = MappedBar(resource(address))
        try:
            super().__init__(bar, build, float(timeout))
        except BaseException:
            bar.close()
            raise
