# SPDX-License-Identifier: BSD-2-Clause

"""A board on a serial port, real or simulated: ``serial:/dev/ttyUSB0?baud=3000000``."""

import contextlib
import time

import numpy as np
import serial

from ..contract.commands import Op, Words
from ..contract.errors import DeviceError, LinkError
from ..link.client import Client
from ..link.health import Health
from .ports import reason, why_not_opened
from .stream import StreamDevice

BAUD = 3_000_000
RECONNECT_S = 3.0
"""Longest time until a lost port is back."""

WRITE_S = 2.0
"""Longest time during which the port may refuse bytes."""


class SerialPort:
    """A serial port that is reopened after a short loss.

    Parameters
    ----------
    name : str
        Name for pyserial: a device file, or a port of Windows.
    baud : int

    Members
    -------
    reconnects : int
        Number of times that the port was reopened.

    Raises
    ------
    LinkError
        If the port cannot be opened; says why, and which ports there are.
    """

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        self.reconnects = 0
        self._baud = baud
        try:
            self._serial = self._open()
        except (OSError, OverflowError, ValueError) as error:
            raise LinkError(why_not_opened(name, error)) from None

    def _open(self) -> serial.Serial:
        port = serial.Serial(
            self.name, self._baud, timeout=0, write_timeout=WRITE_S, exclusive=True
        )
        # If the driver has this mode, an adapter forwards bytes without delay.
        with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
            port.set_low_latency_mode(True)
        return port

    def read(self, seconds: float) -> bytes:
        """Return all available bytes; waits up to `seconds` for the first."""
        try:
            self._serial.timeout = seconds
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (OSError, TypeError) as error:
            self._reopen(error)
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes. If the port is lost, they are lost as if on the line."""
        try:
            self._serial.write(data)
        except (OSError, TypeError) as error:
            self._reopen(error)

    def drop_input(self) -> None:
        """Discard the bytes that have arrived but are unread."""
        try:
            self._serial.reset_input_buffer()
        except (OSError, TypeError) as error:
            self._reopen(error)

    def close(self) -> None:
        """Close the port."""
        self._serial.close()

    def _reopen(self, error: Exception) -> None:
        until = time.monotonic() + RECONNECT_S
        self.close()
        while time.monotonic() < until:
            try:
                self._serial = self._open()
            except (OSError, ValueError):
                time.sleep(0.1)
            else:
                self.reconnects += 1
                return
        raise LinkError(
            f"lost {self.name} ({reason(error)}) and it did not come back within "
            f"{RECONNECT_S:g} s; plug it in, then train again from the checkpoint"
        ) from None


class SerialDevice(StreamDevice):
    """A board on a serial port.

    In the handshake the board sends the parameters of its engine; an incompatible one is refused.

    Parameters
    ----------
    address : str
        Name of the port.
    baud : int
    build : str, optional
        Hexadecimal digits that the board's build identity must begin with.

    Raises
    ------
    LinkError
        If the port cannot be opened or no board answers.
    HandshakeError
        If the board is incompatible with this host; names the versions of both.
    """

    def __init__(
        self,
        address: str = "",
        baud: int | str = BAUD,
        build: str | None = None,
    ) -> None:
        super().__init__()
        if not address:
            raise DeviceError("name the port, for instance serial:/dev/ttyUSB0")
        self._port = SerialPort(address, int(baud))
        try:
            self._client = Client(self._port, build)
        except BaseException:
            self._port.close()
            raise
        self._engine = self._client.identity.engine
        # Drop the counts of an earlier session.
        self._call(Op.CLEAR_COUNTERS, [], 0)

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        beat = self._client.identity.engine.beat
        padding = np.zeros(-len(words) % beat, np.uint32)
        return self._client.exchange(np.concatenate((words, padding)), responses, capacity)

    def health(self) -> Health:
        """Return the state of the link."""
        return self._client.health()

    def about(self) -> dict[str, str]:
        """Return the port, the parameters of the board's engine and its build identity."""
        identity = self._client.identity
        parameters = {name: str(value) for name, value in vars(identity.engine).items()}
        return {"port": self._port.name, **parameters, "build": identity.build.hex()[:16]}

    def close(self) -> None:
        self._port.close()
