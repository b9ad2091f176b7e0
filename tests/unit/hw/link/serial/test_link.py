# SPDX-License-Identifier: BSD-2-Clause

"""The compiled link with an echo behind it survives noise, garbage and killed hosts."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from support.link_boards import IDENTITY, LINK, echo_board
from support.link_lines import NoisyLine, Talk

from dualgate.contract.errors import InputError, LinkError
from dualgate.link.client import Client
from dualgate.link.frame import DELIMITER, VERSION, Deframer, Frame, Kind
from dualgate_hw.link.serial.line import LinkParameters
from dualgate_sim.board.model import Board, BoardPort, Noise, bit_time

pytestmark = pytest.mark.slow

SIZES = [0, 300, 1, 17, 64, 255, 2, 120]


@pytest.fixture
def board() -> Iterator[Board]:
    board = Board(echo_board())
    yield board
    board.close()


def frames(board: Board, cycles: int = 3000) -> list[Frame]:
    """Return the bytes that the board sends within some cycles."""
    until, out = board.cycles + cycles, b""
    while board.cycles < until:
        out += board.run(until - board.cycles)
    return Deframer().feed(out)


def hello(board: Board, session: int = 0x77) -> Frame:
    board.feed(DELIMITER + Frame(Kind.HELLO, 0, session, credit=999).encode())
    (welcome,) = frames(board)
    assert welcome.kind == Kind.WELCOME
    return welcome


def echoes(*payload: int) -> bytes:
    return np.array([len(payload) << 16 | 7, *payload], "<u4").tobytes()


def test_a_silent_line_is_answered_by_silence(board: Board) -> None:
    assert frames(board, 100_000) == []


def test_hello_is_answered_with_the_identity_of_the_board(board: Board) -> None:
    welcome = hello(board)
    assert (welcome.session, welcome.mark, welcome.version) == (0x77, 0, VERSION)
    assert welcome.credit == LINK.receive_words
    assert np.frombuffer(welcome.payload, "<u4").tolist() == IDENTITY.words()


def test_hello_of_any_version_is_answered(board: Board) -> None:
    board.feed(Frame(Kind.HELLO, 0, 5, version=VERSION + 3).encode())
    (welcome,) = frames(board)
    assert welcome.version == VERSION


@pytest.mark.parametrize("seed", range(6))
def test_every_word_arrives_once_and_in_order_through_noise(board: Board, seed: int) -> None:
    odds = (0.0, 2e-4, 5e-4)[seed % 3]
    talk = Talk(BoardPort(board, Noise(odds, odds, seed), Noise(odds, odds, seed + 99)))
    for number in range(3):
        talk.say(SIZES * 4, number)
    retries = talk.client.health().retries
    assert (retries == 0) == (odds == 0.0)


def test_frames_doubled_and_cut_are_made_good(board: Board) -> None:
    port = BoardPort(board)
    port._there, port._back = NoisyLine(1, 3e-4), NoisyLine(2, 3e-4)  # type: ignore[assignment]
    talk = Talk(port)
    for number in range(3):
        talk.say(SIZES * 4, number)


def test_a_command_sent_twice_is_taken_once_and_answered_alike(board: Board) -> None:
    hello(board)
    frame = Frame(Kind.DATA, 1, 0x77, 0, 0, 999, payload=echoes(11, 12))
    board.feed(frame.encode())
    (first,) = frames(board)
    assert np.frombuffer(first.payload, "<u4").tolist() == [3 << 16 | 7, 0, 11, 12]
    board.feed(frame.encode())
    (second,) = frames(board)
    assert (second.payload, second.sequence, second.acknowledged) == (b"", 4, 3)
    board.feed(Frame(Kind.POLL, 2, 0x77, 3, 0, 999).encode())
    bare, replay = frames(board)
    assert (bare.payload, bare.sequence) == (b"", 0)
    assert (replay.payload, replay.sequence) == (first.payload, 0)


def test_words_acknowledged_are_not_sent_again(board: Board) -> None:
    hello(board)
    board.feed(Frame(Kind.DATA, 1, 0x77, 0, 0, 999, payload=echoes(1, 2)).encode())
    frames(board)
    board.feed(Frame(Kind.POLL, 2, 0x77, 3, 3, 999).encode())
    _, rest = frames(board)
    assert (rest.sequence, np.frombuffer(rest.payload, "<u4").tolist()) == (3, [2])


def test_the_board_sends_no_more_than_the_host_has_room_for(board: Board) -> None:
    hello(board)
    board.feed(Frame(Kind.DATA, 1, 0x77, 0, 0, 5, payload=echoes(*range(20))).encode())
    assert sum(len(frame.payload) for frame in frames(board)) == 4 * 5
    board.feed(Frame(Kind.DATA, 2, 0x77, 21, 5, 3).encode())
    assert [(f.sequence, len(f.payload)) for f in frames(board)] == [(5, 4 * 3)]


def test_more_than_the_credit_is_dropped_whole(board: Board) -> None:
    hello(board)
    # Without credit responses fill the queue, the echo stops, and commands wait.
    payload = echoes(*range(LINK.receive_words - 1))
    for mark in (1, 2):
        position = (mark - 1) * LINK.receive_words
        board.feed(Frame(Kind.DATA, mark, 0x77, position, 0, 0, payload=payload).encode())
        answer = frames(board, 10_000)[-1]
    assert answer.acknowledged == LINK.receive_words
    assert answer.credit < LINK.receive_words
    assert answer.mark == 2


@pytest.mark.parametrize("changed", [{"session": 0x78}, {"version": 9}, {"kind": 0}, {"kind": 7}])
def test_frames_that_are_not_for_this_session_change_nothing(
    board: Board, changed: dict[str, int]
) -> None:
    hello(board)
    fields = {"kind": Kind.DATA, "session": 0x77, "version": VERSION, **changed}
    board.feed(Frame(mark=1, credit=999, payload=echoes(4), **fields).encode())  # type: ignore
    answers = frames(board)
    assert all(not f.payload and f.session == 0x77 and not f.acknowledged for f in answers)
    assert len(answers) == ("session" in changed)


def test_a_board_without_session_says_so(board: Board) -> None:
    board.feed(Frame(Kind.DATA, 1, 0x77, 0, 0, 999, payload=echoes(4)).encode())
    (answer,) = frames(board)
    assert (answer.kind, answer.session) == (Kind.DATA, 0)


def test_random_bytes_change_nothing_and_the_next_good_frame_is_found(board: Board) -> None:
    dice = random.Random(7)
    hello(board)
    board.feed(Frame(Kind.DATA, 1, 0x77, 0, 0, 999, payload=echoes(1)).encode())
    (answer,) = frames(board)
    acknowledged = answer.acknowledged
    position = 3
    for number in range(100):
        # Some bytes look like frames: whole frames with one byte changed.
        good = Frame(Kind.DATA, 2, 0x77, 2, position, 999, payload=echoes(9)).encode()
        for _ in range(1000):
            if dice.random() < 0.3:
                near = bytearray(good)
                near[dice.randrange(len(near) - 1)] ^= dice.randrange(1, 256)
                board.feed(bytes(near))
            else:
                board.feed(dice.randbytes(dice.randrange(40)))
        assert frames(board, board.waiting + 200) == []
        mark = number + 3 & 0xFF
        board.feed(DELIMITER + Frame(Kind.POLL, mark, 0x77, acknowledged, position, 999).encode())
        answers = frames(board, 400)
        assert [(f.mark, f.sequence, f.acknowledged) for f in answers][:1] == [
            (mark, position, acknowledged)
        ]
        assert not any(f.payload for f in answers)


class Killed(BoardPort):
    """Act as a host that dies after a number of bytes, at any point of a frame."""

    def __init__(self, board: Board, left: int) -> None:
        super().__init__(board)
        self._left = left

    def write(self, data: bytes) -> None:
        super().write(data[: self._left])
        self._left -= len(data)
        if self._left <= 0:
            raise LinkError("killed")


def test_a_host_killed_anywhere_leaves_a_board_that_the_next_can_use(board: Board) -> None:
    dice = random.Random(8)
    for _ in range(25):
        port = Killed(board, dice.randrange(12_000))
        with pytest.raises(LinkError, match="killed"):
            Talk(port).say([200] * 20)
        Talk(BoardPort(board)).say([10, 0, 150])


def test_hello_amid_a_frame_of_data_spoils_that_frame(board: Board) -> None:
    # The host sent HELLO twice, was welcomed after the first, and sends while the second takes
    # effect: the link discards the beginning of that frame, and must not accept the rest.
    hellos = b"".join(Frame(Kind.HELLO, mark, 0x77, credit=999).encode() for mark in range(2))
    spoilt = 0
    for size in range(20, 200, 5):
        payload = echoes(*range(size))
        board.feed(hellos + Frame(Kind.DATA, 2, 0x77, 0, 0, 999, payload=payload).encode())
        last = [frame for frame in frames(board) if frame.kind == Kind.DATA][-1:]
        assert all(frame.acknowledged in (0, size + 1) for frame in last)
        spoilt += any(frame.acknowledged == 0 for frame in last)
    assert spoilt > 5


def test_a_board_at_a_slow_line_takes_the_time_that_bytes_take() -> None:
    board = Board(echo_board(), bit_time(3e6))
    client = Client(BoardPort(board), clock=lambda: board.seconds)
    assert board.seconds == pytest.approx((board.taken + board.given) * 10 / 3e6, rel=0.3)
    assert client.identity == IDENTITY
    board.close()


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_an_error_rate_that_is_no_probability_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=r"error rate .*: give a share"):
        Noise(rate, 0.0, 0)
    with pytest.raises(InputError, match=r"drop rate .*: give a share"):
        Noise(0.0, rate, 0)


def test_a_baud_rate_beyond_the_clock_is_refused() -> None:
    with pytest.raises(InputError, match=r"the simulated board: 1e\+07 baud from 2\.5e\+07 Hz"):
        bit_time(1e7)


@pytest.mark.parametrize("wrong", [{"receive_words": 100}, {"most_words": 0}, {"hold_bits": 0}])
def test_sizes_that_make_no_link_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"give a power of two|sends at least a word"):
        LinkParameters(**wrong)
