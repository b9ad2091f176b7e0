# SPDX-License-Identifier: BSD-2-Clause

"""A served board between a host that misbehaves and the next one: bounded queues, prompt HELLO."""

import os
import termios
from collections.abc import Callable, Iterator

import pytest
from support.link_lines import EchoEngine

from dualgate.link.frame import DELIMITER, LONGEST, Deframer, Frame, Kind
from dualgate_sim.board.model import Noise
from dualgate_sim.board.serve import WAITING_BYTES, run
from dualgate_sim.board.terminal import LEAVING_BYTES, Frames, PseudoTerminal, begins_session
from dualgate_sim.testing.link_model import DeviceEnd

FIRST, SECOND = 11, 22
HELLO = Frame(Kind.HELLO, 1, FIRST, credit=0xFFFF).encode()
POLL = Frame(Kind.POLL, 2, FIRST, credit=0xFFFF).encode()


class ModelBoard:
    """The board's end of a link in plain Python, which takes some bytes in each slice."""

    def __init__(self, appetite: int) -> None:
        self._device = DeviceEnd([1, 2, 3], EchoEngine)
        self._appetite = appetite
        self._waiting = b""
        self.cycles = self.given = self.most = 0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def feed(self, data: bytes) -> None:
        self._waiting += data
        self.most = max(self.most, self.waiting)

    def drop_input(self) -> None:
        self._waiting = b""

    def run(self, cycles: int) -> bytes:
        self.cycles += cycles
        now, self._waiting = self._waiting[: self._appetite], self._waiting[self._appetite :]
        *whole, rest = now.split(DELIMITER)
        sent = b""
        for piece in whole:
            self._device.feed(piece + DELIMITER)
            sent += self._device.output()
        self._device.feed(rest)
        self.given += len(sent)
        return sent


class Rig:
    """A served board and a host's end of its line, in steps of one slice.

    Members
    -------
    most_leaving : int
        Most bytes that waited for the host.
    """

    def __init__(self, appetite: int) -> None:
        self.board = ModelBoard(appetite)
        self.terminal = PseudoTerminal()
        self.host = os.open(self.terminal.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        self.most_leaving = 0
        self._step: Callable[[], None] = lambda: None
        self._end = 0

    def write(self, data: bytes) -> int:
        try:
            return os.write(self.host, data)
        except BlockingIOError:
            return 0

    def read(self) -> bytes:
        try:
            return os.read(self.host, 1 << 16)
        except BlockingIOError:
            return b""

    def run(self, goes_on: Callable[[], bool]) -> None:
        """Serve while `goes_on`, which is asked before each slice."""

        def watched() -> bool:
            self.most_leaving = max(self.most_leaving, self.terminal.leaving)
            return goes_on()

        quiet = Noise(0, 0, 0)
        run(self.board, self.terminal, quiet, quiet, watched)  # type: ignore[arg-type]


@pytest.fixture(params=[1 << 20, 256], ids=["fast", "slow"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig = Rig(request.param)
    yield rig
    os.close(rig.host)
    rig.terminal.close()


def flood(rig: Rig, total: int) -> None:
    """Write requests of `total` bytes and never read."""
    left = DELIMITER + HELLO + POLL * (total // len(POLL))

    def goes_on() -> bool:
        nonlocal left
        left = left[rig.write(left[: 1 << 14]) :]
        return bool(left)

    rig.run(goes_on)


def test_what_a_host_that_never_reads_leaves_is_bounded(rig: Rig) -> None:
    flood(rig, 4 * (LEAVING_BYTES + WAITING_BYTES))
    assert rig.most_leaving <= LEAVING_BYTES
    assert rig.board.most <= WAITING_BYTES
    assert max(rig.most_leaving, rig.board.most) > WAITING_BYTES // 2  # else nothing was tried


def test_the_next_host_is_welcomed_before_anything_of_the_last(rig: Rig) -> None:
    flood(rig, 4 * (LEAVING_BYTES + WAITING_BYTES))
    termios.tcflush(rig.host, termios.TCIFLUSH)
    hello, came, slices = DELIMITER + Frame(Kind.HELLO, 7, SECOND, credit=100).encode(), 0, 0
    found: list[Frame] = []
    deframer = Deframer()

    def goes_on() -> bool:
        nonlocal hello, came, slices
        hello = hello[rig.write(hello) :]
        data = rig.read()
        came += len(data)
        slices += 1
        found.extend(frame for frame in deframer.feed(data) if frame.session == SECOND)
        return not found and slices < 200

    rig.run(goes_on)
    assert [(frame.kind, frame.mark) for frame in found] == [(Kind.WELCOME, 7)]
    assert came < LEAVING_BYTES // 2
    assert rig.board.waiting == rig.terminal.leaving == 0


def test_only_a_whole_hello_begins_a_session() -> None:
    assert begins_session(HELLO)
    assert not begins_session(POLL)
    assert not begins_session(HELLO[1:])
    assert not begins_session(DELIMITER)


def test_bytes_are_cut_at_delimiters_and_noise_without_any_is_dropped() -> None:
    frames = Frames()
    assert frames.feed(b"ab") == []
    assert frames.feed(b"c\0\0d") == [b"abc\0", b"\0"]
    assert frames.feed(b"x" * LONGEST) == []
    assert frames.feed(b"\0" + HELLO) == [b"\0", HELLO]
