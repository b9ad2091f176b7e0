# SPDX-License-Identifier: BSD-2-Clause

"""Serial lines with a simulated clock, between a host and a model of a device."""

import random
from collections.abc import Callable

import numpy as np

from dualgate.contract.commands import Words, header, parse_responses
from dualgate.contract.errors import LinkError
from dualgate.link.client import Client
from dualgate.link.frame import DELIMITER
from dualgate_sim.testing.link_model import DeviceEnd


class EchoEngine:
    """Answers a command with its own payload and a running number.

    So a test notices every command that is lost, doubled or exchanged.

    Attributes
    ----------
    commands : int
        Number of commands taken.
    """

    def __init__(self) -> None:
        self.commands = 0
        self._payload: list[int] = []
        self._left = 0
        self._op = 0

    def __call__(self, word: int) -> list[int]:
        if not self._left and not self._payload:
            self._op, self._left = word & 0xFF, word >> 16
            if self._left:
                self._payload = []
                return []
        else:
            self._payload.append(word)
            self._left -= 1
            if self._left:
                return []
        answer = [header(self._op, len(self._payload) + 1), self.commands, *self._payload]
        self.commands += 1
        self._payload = []
        return answer


class NoisyLine:
    """Corrupts, drops and doubles bytes, inserts garbage, and doubles or cuts whole frames.

    Parameters
    ----------
    seed : int
        Seed of the random generator.
    odds : float
        Probability of each fault of a byte; each fault of a frame is twenty times as probable.
    """

    def __init__(self, seed: int, odds: float) -> None:
        self._dice = random.Random(seed)
        self.odds = odds

    def __call__(self, data: bytes) -> bytes:
        if not self.odds:
            return data
        frames = data.split(DELIMITER)
        return b"".join(
            self._frame(part + (DELIMITER if index < len(frames) - 1 else b""))
            for index, part in enumerate(frames)
        )

    def _frame(self, frame: bytes) -> bytes:
        dice, odds = self._dice, self.odds
        if dice.random() < 20 * odds:
            return frame * 2
        if dice.random() < 20 * odds:
            return frame[: dice.randrange(len(frame) + 1)]
        out = bytearray()
        for byte in frame:
            if dice.random() < odds:
                out.append(dice.randrange(256))
            elif dice.random() < odds:
                pass
            elif dice.random() < odds:
                out += bytes([byte, byte])
            elif dice.random() < odds:
                out += dice.randbytes(dice.randrange(1, 9)) + bytes([byte])
            else:
                out.append(byte)
        return bytes(out)


class ModelPort:
    """A port with a model of a device at its other end, and a clock of its own.

    Parameters
    ----------
    device : DeviceEnd
        Model of the device.
    there, back : callable
        The line to the device, and from it.
    latency : float
        Seconds from the device to the host.
    appetite : int
        Command words that the engine takes each time the device looks at its line.
    """

    name = "model"
    reconnects = 0

    def __init__(
        self,
        device: DeviceEnd,
        there: Callable[[bytes], bytes] = bytes,
        back: Callable[[bytes], bytes] = bytes,
        latency: float = 0.002,
        appetite: int = 1 << 20,
    ) -> None:
        self.device = device
        self._there, self._back = there, back
        self._latency = latency
        self._appetite = appetite
        self._coming = b""
        self.now = 0.0
        self.unplugged = False

    def clock(self) -> float:
        return self.now

    def write(self, data: bytes) -> None:
        if self.unplugged:
            raise LinkError("model is gone")
        self.device.feed(self._there(data))

    def read(self, seconds: float) -> bytes:
        if self.unplugged:
            raise LinkError("model is gone")
        self.device.run(self._appetite)
        data = self._coming + self._back(self.device.output())
        self._coming = b""
        self.now += min(seconds, self._latency) if data else seconds
        return data

    def drop_input(self) -> None:
        self._coming = b""

    def close(self) -> None:
        self.unplugged = True


def payloads(words: Words) -> list[list[int]]:
    """Return the payloads of responses as lists."""
    return [response.payload.tolist() for response in parse_responses(words)]


class Talk:
    """A client that knows the expected responses.

    Parameters
    ----------
    port : ModelPort
        Port to the device.
    """

    def __init__(self, port: ModelPort) -> None:
        self.port = port
        self.client = Client(port, clock=port.clock)
        self._number = 0

    def say(self, sizes: list[int], seed: int = 0) -> None:
        """Exchange commands with payloads of these sizes, and check every answer."""
        random = np.random.default_rng(seed)
        words: list[int] = []
        expected = []
        for size in sizes:
            payload = random.integers(0, 1 << 32, size).tolist()
            words += [header(7, size), *payload]
            expected.append([self._number, *payload])
            self._number += 1
        got = self.client.exchange(np.array(words, np.uint32), len(sizes), len(words) + len(sizes))
        assert payloads(got) == expected
