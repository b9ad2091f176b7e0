# SPDX-License-Identifier: BSD-2-Clause

"""The BAR target: what a read or a write of the host does, whichever block carries it."""

from collections.abc import Mapping

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import ShapeLike, Value, ValueLike
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.bar import LEVEL_BITS, PAGE_BITS, WORD_BYTES, Control, Page, Register, Status

from .types import BOUNDARY_WORDS, DWORD, WRITE, WRITE_DATA, CompletionStatus, completion, read

PAGE_WORDS = (1 << PAGE_BITS) // WORD_BYTES
ALL_BYTES = 0b1111


def unused_bytes(enables: Value, *, leading: bool) -> Value:
    """Bytes of a word before its first enabled one, or after its last.

    A word without any counts as one byte, the first; this is what PCIe says of reads without data.
    """
    ordered = [enables[i] for i in range(WORD_BYTES)]
    if leading:
        return Mux(enables == 0, 0, _zeros_before(ordered))
    return _zeros_before(ordered[::-1])


def _zeros_before(bits: list[Value]) -> Value:
    return Mux(bits[0], 0, Mux(bits[1], 1, Mux(bits[2], 2, 3)))


class BarTarget(wiring.Component):
    """Carries out writes and reads, one after the other.

    A write takes a word a cycle from the cycle after its header on, and never waits for the engine.
    A read begins when there is `room` for all it will say, so that no write waits for it longer
    than it takes: it gives a completion for each block of `BOUNDARY_WORDS` it touches. The first
    header follows the request by a cycle, others the last word before them; a header's first word
    follows it by 2 cycles, and then comes a word a cycle.

    Parameters
    ----------
    context : ShapeLike
        See `pcie_types.read`.
    constants : mapping of int to int
        Offset and value of the registers that never change, see `bar.constants`.

    Members
    -------
    write, write_data, read : streams in
    room : all completions of one read can be taken without a stall
    completion, read_data : streams out
    push, word, pop, head, free, waiting, overrun, underrun : the window's, see `Window`
    reset : the host resets the command stream; high for a cycle
    """

    def __init__(self, context: ShapeLike, constants: Mapping[int, int]) -> None:
        self.constants = constants
        super().__init__(
            {
                "write": In(stream.Signature(WRITE)),
                "write_data": In(stream.Signature(WRITE_DATA)),
                "read": In(stream.Signature(read(context))),
                "room": In(1),
                "completion": Out(stream.Signature(completion(context))),
                "read_data": Out(stream.Signature(DWORD)),
                "push": Out(1),
                "word": Out(DWORD),
                "pop": Out(1),
                "head": In(DWORD),
                "free": In(unsigned(LEVEL_BITS)),
                "waiting": In(unsigned(LEVEL_BITS)),
                "overrun": In(1),
                "underrun": In(1),
                "reset": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scratch = scratch = memory.Memory(shape=DWORD, depth=PAGE_WORDS, init=[])
        self._scratch_write = scratch.write_port(granularity=8)
        self._scratch_read = scratch.read_port()
        self._read = Signal(self.read.payload.shape())
        """The read at hand; of a write the fields that it shares with one."""
        self._done = Signal(11)
        """Words of the request behind us."""
        self._left = Signal(6)
        """Words of this completion still to fetch."""
        self._partial = Signal()
        self._clear = Signal(len(Status))
        self._status = Signal(len(Status))
        self._address = (self._read.offset + self._done)[: PAGE_BITS - 2]
        self._page = self._read.offset[PAGE_BITS - 2 :]
        self._remaining = (self._read.length - self._done)[: len(self._done)]
        self._fetch = Signal()
        self._keep_status(m)
        self._describe(m)
        self._fetch_word(m)
        with m.FSM():
            with m.State("IDLE"):
                self._begin(m)
            self._write_state(m)
            self._read_states(m)
        return m

    def _begin(self, m: Module) -> None:
        m.d.comb += [
            self.write.ready.eq(1),
            self.read.ready.eq(self.room & ~self.write.valid),
        ]
        m.d.sync += self._done.eq(0)
        with m.If(self.write.valid):
            m.d.sync += [self._read[name].eq(self.write.payload[name]) for name, _ in WRITE]
            m.next = "WRITE"
        with m.Elif(self.read.valid & self.room):
            m.d.sync += self._read.eq(self.read.payload)
            m.next = "COMPLETE"

    def _keep_status(self, m: Module) -> None:
        events = {
            Status.OVERRUN: self.overrun,
            Status.UNDERRUN: self.underrun,
            Status.PARTIAL: self._partial,
        }
        raised = Cat(events[flag] for flag in Status)
        m.d.sync += self._status.eq(raised | (self._status & ~self._clear))
        with m.If(self.reset):
            m.d.sync += self._status.eq(0)

    def _enables(self, last: ValueLike) -> Value:
        """Byte enables of the word at hand; `last` of its request."""
        middle = Mux(last, self._read.last, ALL_BYTES)
        return Mux(self._done == 0, self._read.first, middle)

    def _crosses_window(self, m: Module, enables: Value) -> Value:
        """Whether a word moves through the window: only a whole one does."""
        with m.If((enables != 0) & (enables != ALL_BYTES)):
            m.d.comb += self._partial.eq(1)
        return enables == ALL_BYTES

    def _write_state(self, m: Module) -> None:
        word, last = self.write_data.payload.word, self.write_data.payload.last
        enables = self._enables(last)
        write = self._scratch_write
        m.d.comb += [self.word.eq(word), write.addr.eq(self._address), write.data.eq(word)]
        with m.State("WRITE"):
            m.d.comb += self.write_data.ready.eq(1)
            with m.If(self.write_data.valid):
                m.d.sync += self._done.eq(self._done + 1)
                with m.If(last):
                    m.next = "IDLE"
                with m.Switch(self._page):
                    with m.Case(Page.REGISTERS), m.If(enables[0]):
                        self._write_register(m, word)
                    with m.Case(Page.WINDOW):
                        m.d.comb += self.push.eq(self._crosses_window(m, enables))
                    with m.Case(Page.SCRATCH):
                        m.d.comb += write.en.eq(enables)

    def _write_register(self, m: Module, word: Value) -> None:
        with m.Switch(self._address):
            with m.Case(Register.STATUS // WORD_BYTES):
                m.d.comb += self._clear.eq(word[: len(Status)])
            with m.Case(Register.CONTROL // WORD_BYTES):
                m.d.comb += self.reset.eq((word & Control.RESET.value).any())

    def _read_states(self, m: Module) -> None:
        held = Signal()
        m.d.comb += self.read_data.valid.eq(held)
        with m.State("COMPLETE"):
            m.d.comb += self.completion.valid.eq(1)
            m.d.sync += self._left.eq(self.completion.payload.length)
            with m.If(self.completion.ready):
                m.next = "DATA"
                with m.If(self._read.refuse):
                    m.next = "IDLE"
        with m.State("DATA"), m.If(~held | self.read_data.ready):
            m.d.comb += self._fetch.eq(self._left != 0)
            m.d.sync += held.eq(self._fetch)
            with m.If(self._fetch):
                m.d.sync += [self._left.eq(self._left - 1), self._done.eq(self._done + 1)]
            with m.Else():
                m.next = "COMPLETE"
                with m.If(self._remaining == 0):
                    m.next = "IDLE"

    def _describe(self, m: Module) -> None:
        """The header of the next completion."""
        remaining = self._remaining
        request, header = self._read, self.completion.payload
        ahead = BOUNDARY_WORDS - self._address[: (BOUNDARY_WORDS - 1).bit_length()]
        before = Mux(self._done == 0, unused_bytes(request.first, leading=True), 0)
        final = Mux(request.length == 1, request.first, request.last)
        after = unused_bytes(final, leading=False)
        m.d.comb += [
            header.status.eq(CompletionStatus.SUCCESSFUL),
            header.lower.eq((self._address * WORD_BYTES + before)[: len(header.lower)]),
            header.bytes.eq((remaining * WORD_BYTES - before - after)[: len(header.bytes)]),
            header.length.eq(Mux(remaining < ahead, remaining, ahead)[: len(header.length)]),
            header.context.eq(request.context),
        ]
        with m.If(request.refuse):
            m.d.comb += [header.status.eq(CompletionStatus.UNSUPPORTED), header.length.eq(0)]

    def _fetch_word(self, m: Module) -> None:
        """On `_fetch`, the word at hand goes to `read_data`, from the next cycle on."""
        read = self._scratch_read
        value = Signal(DWORD)
        from_scratch = Signal()
        enables = self._enables(self._done == self._read.length - 1)
        m.d.comb += [
            read.addr.eq(self._address),
            read.en.eq(self._fetch),
            self.read_data.payload.eq(Mux(from_scratch, read.data, value)),
        ]
        with m.If(self._fetch):
            m.d.sync += [value.eq(0), from_scratch.eq(self._page == Page.SCRATCH)]
            with m.Switch(self._page):
                with m.Case(Page.REGISTERS):
                    self._read_register(m, value)
                with m.Case(Page.WINDOW), m.If(self._crosses_window(m, enables)):
                    m.d.comb += self.pop.eq(1)
                    m.d.sync += value.eq(self.head)

    def _read_register(self, m: Module, value: Signal) -> None:
        changing: dict[int, ValueLike] = {
            Register.LEVELS: Cat(self.free, self.waiting),
            Register.STATUS: self._status,
        }
        with m.Switch(self._address):
            for offset, register in {**self.constants, **changing}.items():
                with m.Case(offset // WORD_BYTES):
                    m.d.sync += value.eq(register)
