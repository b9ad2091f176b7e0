# SPDX-License-Identifier: BSD-2-Clause

"""Proofs about the PCIe link: the levels of its window, and whole packets."""

from pathlib import Path

import pytest
from amaranth import Module, Mux, Signal, unsigned
from amaranth.hdl import Assert, Assume, Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In
from support.proofs import prove

from dualgate_hw.link.pcie.packets import PacketBuffer, beat
from dualgate_hw.link.pcie.window import Window


class WindowClaims(wiring.Component):
    """Claims about the window for a host that reads the levels, and acts at any later time."""

    def __init__(self, depth: int) -> None:
        self.window = Window(depth, depth)
        self.depth = depth
        super().__init__(
            {
                "push": In(1),
                "pop": In(1),
                "reset": In(1),
                "word": In(32),
                "taken": In(1),
                "response": In(stream.Signature(32)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.window = window = self.window
        for name in ("push", "pop", "reset", "word"):
            m.d.comb += getattr(window, name).eq(getattr(self, name))
        m.d.comb += window.command.ready.eq(self.taken)
        wiring.connect(m, wiring.flipped(self.response), window.response)
        # What the host knows: the levels that it saw at some time, less its use since then.
        free = Signal.like(window.free)
        waiting = Signal.like(window.waiting)
        looks = Signal()
        m.d.comb += looks.eq(self.word[0])
        with m.If(looks):
            m.d.sync += [free.eq(window.free - self.push), waiting.eq(window.waiting - self.pop)]
        with m.Else():
            m.d.sync += [free.eq(free - self.push), waiting.eq(waiting - self.pop)]
        with m.If(self.reset):
            m.d.sync += [free.eq(0), waiting.eq(0)]
        # The host relies on what it knows; it may also read and act in the same cycle.
        m.d.comb += [
            Assume(~self.push | (free != 0) | (looks & (window.free != 0))),
            Assume(~self.pop | (waiting != 0) | (looks & (window.waiting != 0))),
            Assert(~window.overrun),
            Assert(~window.underrun),
            Assert(window.commands.w_rdy == (window.free != 0)),
            Assert(free <= window.free),
            Assert(waiting <= window.waiting),
        ]
        for queue in (window.commands, window.responses):
            m.d.comb += [
                Assert(queue.level - queue.r_rdy < self.depth),
                Assert(~queue.r_rdy | (queue.level != 0)),
            ]
        return m


class PacketClaims(wiring.Component):
    """Claims about the beat at one arbitrary position, which therefore hold for all beats."""

    def __init__(self, depth: int) -> None:
        self.buffer = PacketBuffer(unsigned(2), depth)
        self.depth = depth
        layout = beat(unsigned(2))
        super().__init__(
            {
                "sink": In(stream.Signature(layout)),
                "drop": In(1),
                "ready": In(1),
                "any_position": In(self.buffer.written.shape()),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        buffer = self.buffer
        look = buffer.store.read_port(domain="comb")
        m.submodules.buffer = buffer
        wiring.connect(m, wiring.flipped(self.sink), buffer.sink)
        source, bits = buffer.source, len(buffer.written)
        m.d.comb += [buffer.drop.eq(self.drop), source.ready.eq(self.ready)]
        here = Signal(bits)
        chosen = Signal()
        m.d.sync += chosen.eq(1)
        with m.If(~chosen):
            m.d.sync += here.eq(self.any_position)
        there = Signal(beat(unsigned(2)))
        """Beat that was written at `here`."""
        with m.If(buffer.sink.valid & buffer.sink.ready & (buffer.written == here)):
            m.d.sync += there.eq(buffer.sink.payload)

        def waits(until: Signal) -> Value:
            """Return whether the beat from `here` is in the buffer, and before `until`."""
            return (here - buffer.taken)[:bits] < (until - buffer.taken)[:bits]

        begun = Signal(bits)
        """Beats of the packet that is being written; no others are behind the whole packets."""
        with m.If(buffer.sink.valid & buffer.sink.ready):
            m.d.sync += begun.eq(Mux(buffer.sink.payload.last, 0, begun + 1))
        m.d.comb += Assert(begun == (buffer.written - buffer.whole)[:bits])
        used = (buffer.written - buffer.taken)[:bits]
        ready = (buffer.whole - buffer.taken)[:bits]
        m.d.comb += [
            Assume((here == self.any_position) | ~chosen),
            look.addr.eq(here[: bits - 1]),
            Assert(used <= self.depth),
            Assert(ready <= used),
            Assert(buffer.free == self.depth - used),
        ]
        with m.If(chosen & waits(buffer.written)):
            m.d.comb += Assert(look.data == there.as_value())
        with m.If(chosen & waits(buffer.whole) & ((here + 1)[:bits] == buffer.whole)):
            m.d.comb += Assert(there.last)
        # The output holds the beat from `here`.
        fetched = Signal()
        expected = Signal.like(there)
        takes = Signal()
        m.d.comb += takes.eq((buffer.taken != buffer.whole) & (~source.valid | source.ready))
        with m.If(takes):
            m.d.sync += [fetched.eq(chosen & (buffer.taken == here)), expected.eq(there)]
        with m.If(fetched & source.valid):
            m.d.comb += [
                Assert(source.payload == expected),
                Assert(expected.last | (buffer.taken != buffer.whole)),
            ]
        return m


@pytest.mark.parametrize("depth", [3, 4, 7])
def test_room_and_words_that_a_host_saw_are_never_lost(tmp_path: Path, depth: int) -> None:
    prove(WindowClaims(depth), 4, tmp_path)


def test_a_queue_of_two_words_would_break_that() -> None:
    with pytest.raises(ValueError, match="give from 3 to"):
        Window(2, 8)


@pytest.mark.parametrize("depth", [2, 4])
def test_packets_leave_whole_in_order_and_without_gaps(tmp_path: Path, depth: int) -> None:
    prove(PacketClaims(depth), 4, tmp_path)
