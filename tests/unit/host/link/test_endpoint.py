# SPDX-License-Identifier: BSD-2-Clause

"""A session over a line that loses frames: every word once, in order, whatever happens."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples
from support.link_lines import EchoEngine, ModelPort, NoisyLine, Talk

from dualgate.contract.commands import Words, header
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, LinkError
from dualgate.link import client as client_module
from dualgate.link.client import Client
from dualgate.link.endpoint import FEWEST_WORDS, MOST_WORDS
from dualgate.link.frame import Frame, Kind
from dualgate.link.identity import Identity
from dualgate_sim.testing.link_model import DeviceEnd

WELCOME = Identity(EngineParameters(), bytes(32)).words()


def device(**sizes: int) -> DeviceEnd:
    return DeviceEnd(WELCOME, EchoEngine, **sizes)


@examples(80)
@given(
    seed=st.integers(0, 1 << 30),
    odds=st.sampled_from([0.0, 1e-4, 5e-4, 1e-3]),
    exchanges=st.lists(st.lists(st.integers(0, 300), min_size=1, max_size=8), max_size=4),
    room=st.sampled_from([(2048, 512, 64), (64, 32, 16), (16, 16, 1)]),
    appetite=st.sampled_from([30, 300, 1 << 20]),
)
def test_every_word_arrives_once_and_in_order(
    seed: int,
    odds: float,
    exchanges: list[list[int]],
    room: tuple[int, int, int],
    appetite: int,
) -> None:
    end = device(receive_words=room[0], send_words=room[1], most_words=room[2])
    port = ModelPort(end, NoisyLine(seed, 0), NoisyLine(seed + 1, 0), appetite=appetite)
    talk = Talk(port)
    port._there.odds = port._back.odds = odds
    for number, sizes in enumerate(exchanges):
        talk.say(sizes, number)


def test_a_clean_line_carries_nothing_twice() -> None:
    port = ModelPort(device())
    talk = Talk(port)
    talk.say([200] * 100)
    health = talk.client.health()
    assert (health.retries, health.crc_errors, health.reconnects) == (0, 0, 0)
    assert health.words_sent == 201 * 100
    assert health.words_received == 202 * 100
    assert health.round_trip_s == pytest.approx(0.002)


class Losing:
    """A line that loses chosen frames: those whose number, from 0, `chosen` says."""

    def __init__(self, chosen: Callable[[int], bool]) -> None:
        self.chosen = chosen
        self.count = 0

    def __call__(self, data: bytes) -> bytes:
        out = b""
        for part in data.split(b"\0"):
            if part:
                out += b"" if self.chosen(self.count) else part + b"\0"
                self.count += 1
        return out


@pytest.mark.parametrize("lost", range(1, 14))
@pytest.mark.parametrize("direction", ["there", "back"])
def test_any_single_lost_frame_is_made_good_at_once(lost: int, direction: str) -> None:
    line = Losing(lambda number: number == lost)
    port = ModelPort(device(), **{direction: line})
    talk = Talk(port)
    talk.say([200] * 12)
    # The last frame of all is missed only in silence, which is a retry of its own.
    assert talk.client.health().retries <= 2
    assert port.now < 0.3


def test_frames_get_smaller_where_many_are_lost_and_larger_again() -> None:
    line = NoisyLine(3, 0.002)
    port = ModelPort(device(), there=line)
    line.odds = 0.0
    talk = Talk(port)
    line.odds = 0.002
    talk.say([200] * 20)
    assert FEWEST_WORDS <= talk.client._end._size < MOST_WORDS // 2
    line.odds = 0.0
    talk.say([200] * 40)
    assert talk.client._end._size == MOST_WORDS


def test_a_device_that_falls_silent_is_an_error_within_five_seconds() -> None:
    port = ModelPort(device())
    talk = Talk(port)
    talk.say([5])
    port._there = port._back = lambda data: b""
    start = port.now
    with pytest.raises(LinkError, match=r"stopped answering and ignored 10 polls; .* checkpoint$"):
        talk.say([5])
    assert port.now - start < 5


def test_nothing_on_the_port_is_an_error_within_five_seconds() -> None:
    port = ModelPort(device(), there=lambda data: b"")
    with pytest.raises(LinkError, match="no dualgate board answers on model; check the cable"):
        Client(port, clock=port.clock)
    assert port.now < 5


def test_a_board_that_was_reset_is_noticed_at_once() -> None:
    port = ModelPort(device())
    talk = Talk(port)
    talk.say([5])
    port.device.reset()
    start = port.now
    with pytest.raises(LinkError, match=r"was reset or taken over in the middle .* weights are"):
        talk.say([5])
    assert port.now - start < 0.1


def test_another_host_that_takes_over_is_noticed() -> None:
    port = ModelPort(device())
    first = Talk(port)
    first.say([5])
    second = Talk(port)
    second.say([3, 4])
    with pytest.raises(LinkError, match="taken over"):
        first.say([1])


@examples(40)
@given(seed=st.integers(0, 1 << 30), cut=st.integers(0, 4000), odds=st.sampled_from([0.0, 5e-4]))
def test_a_host_killed_anywhere_leaves_a_device_that_the_next_can_use(
    seed: int, cut: int, odds: float
) -> None:
    left = cut

    def killed(data: bytes) -> bytes:
        nonlocal left
        part, left = data[:left], left - min(left, len(data))
        return part

    port = ModelPort(device(), appetite=100)
    talk = Talk(port)
    port._there = killed
    with pytest.raises(LinkError):
        talk.say([200] * 20)
    port._there = NoisyLine(seed, odds)
    Talk(port).say([10, 0, 300])


def test_an_engine_that_hangs_is_told_from_a_dead_line() -> None:
    port = ModelPort(device(), appetite=0)
    talk = Talk(port)
    with pytest.raises(LinkError, match="answers but its engine has stopped"):
        talk.say([5])
    assert port.now < client_module.STALL_S + 5


def test_more_words_than_the_responses_can_have_are_an_error() -> None:
    port = ModelPort(device())
    client = Client(port, clock=port.clock)
    words: Words = np.array([header(7, 3), 1, 2, 3], np.uint32)
    with pytest.raises(DeviceError, match="responses do not match the commands"):
        client.exchange(words, 2, 3)


def test_stray_frames_of_all_kinds_change_nothing() -> None:
    port = ModelPort(device())
    talk = Talk(port)
    session = talk.client._end.session
    strays = b"".join(
        Frame(kind, 200, session, 77, 999, 5, payload=b"junk").encode()
        for kind in (0, Kind.HELLO, Kind.WELCOME, Kind.POLL, 9)
    )
    port._coming = strays
    talk.say([5, 6])
