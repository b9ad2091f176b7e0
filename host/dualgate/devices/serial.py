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
from .stream import StreamDevice

BAUD = 3_000_000
RECONNECT_S = 3.0
"""How long a port that is lost may take to come back."""

WRITE_S = 2.0
"""How long the port may refuse bytes."""


class SerialPort:
    """A serial port that is opened again when it is lost for a moment.

    Parameters
    ----------
    name : str
        As pyserial takes it: a device file, or a port of Windows.
    baud : int

    Members
    -------
    reconnects : int
        Times that it was opened again.

    Raises
    ------
    LinkError
        When it cannot be opened.
    """

    def __init__(self, name: str, baud: int) -> None:
        self.name = name
        self.reconnects = 0
        self._baud = baud
        try:
            self._serial = self._open()
        except (OSError, ValueError) as error:
            raise LinkError(
                f"cannot open {name}: {_reason(error)}; check the port's name and its permissions"
            ) from None

    def _open(self) -> serial.Serial:
        port = serial.Serial(
            self.name, self._baud, timeout=0, write_timeout=WRITE_S, exclusive=True
        )
        # Where the driver has such a mode, an adapter hands bytes over at once.
        with contextlib.suppress(AttributeError, NotImplementedError, OSError, ValueError):
            port.set_low_latency_mode(True)
        return port

    def read(self, seconds: float) -> bytes:
        """All bytes that are there; waits up to `seconds` for the first."""
        try:
            self._serial.timeout = seconds
            return bytes(self._serial.read(max(1, self._serial.in_waiting)))
        except (OSError, TypeError) as error:
            self._reopen(error)
            return b""

    def write(self, data: bytes) -> None:
        """Send bytes; they may get lost with the port, and then count as lost on the line."""
        try:
            self._serial.write(data)
        except (OSError, TypeError) as error:
            self._reopen(error)

    def drop_input(self) -> None:
        """Forget bytes that arrived and were not read."""
        try:
            self._serial.reset_input_buffer()
        except (OSError, TypeError) as error:
            self._reopen(error)

    def close(self) -> None:
        """Let go of the port."""
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
            f"lost {self.name} ({_reason(error)}) and it did not come back within "
            f"{RECONNECT_S:g} s; plug it in, then train again from the checkpoint"
        ) from None


def _reason(error: Exception) -> str:
    """The plain part of what pyserial and the system say."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return text.split(": [Errno")[0].partition(" (")[0]


class SerialDevice(StreamDevice):
    """A board on a serial port.

    The handshake says what engine it holds; one of another contract is refused.

    Parameters
    ----------
    address : str
        The port.
    baud : int
    build : str, optional
        Hexadecimal digits that the board's build identity must begin with.

    Raises
    ------
    LinkError
        When the port cannot be opened or nothing answers.
    HandshakeError
        When the board does not fit this host; names both sides.
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
        # What a host before this one counted is not this one's.
        self._call(Op.CLEAR_COUNTERS, [], 0)

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        beat = self._client.identity.engine.beat
        padding = np.zeros(-len(words) % beat, np.uint32)
        return self._client.exchange(np.concatenate((words, padding)), responses, capacity)

    def health(self) -> Health:
        """How the link does so far."""
        return self._client.health()

    def about(self) -> dict[str, str]:
        """The board's engine and build."""
        identity = self._client.identity
        parameters = {name: str(value) for name, value in vars(identity.engine).items()}
        return {"port": self._port.name, **parameters, "build": identity.build.hex()[:16]}

    def close(self) -> None:
        self._port.close()
