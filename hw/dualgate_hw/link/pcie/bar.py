# SPDX-License-Identifier: BSD-2-Clause

"""The BAR target: execution of the host's reads and writes, independent of the PCIe block."""

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
    """Return the number of bytes of a word before its first enabled byte, or after its last one.

    A word without an enabled byte counts as if its first byte were enabled, as PCIe demands for
    reads without data.

    Parameters
    ----------
    enables : Value
        Byte enables of the word.
    leading : bool
        Count the bytes before the first enabled one.
    """
    ordered = [enables[i] for i in range(WORD_BYTES)]
    if leading:
        return Mux(enables == 0, 0, _zeros_before(ordered))
    return _zeros_before(ordered[::-1])


def _zeros_before(bits: list[Value]) -> Value:
    """Return the number of zeros before the first one of four bits."""
    return Mux(bits[0], 0, Mux(bits[1], 1, Mux(bits[2], 2, 3)))


class BarTarget(wiring.Component):
    """Executes writes and reads, one after the other.

    A write takes a word per cycle from the cycle after its header on, and never waits for the
    engine. A read begins when there is `room` for all its completions, so that a write never waits
    for a read that cannot proceed. It gives a completion for each block of `BOUNDARY_WORDS` that it
    touches. The first header follows the request by a cycle, each further header follows the last
    word before it; the first word follows its header by 2 cycles, and then there is a word per
    cycle.

    Parameters
    ----------
    context : ShapeLike
        Data that completions carry, see `types.read`.
    constants : mapping of int to int
        Offset and value of the registers that never change, see `dualgate.link.bar.constants`.

    Members
    -------
    `write` : In(stream of WRITE)
        Headers of writes.
    `write_data` : In(stream of WRITE_DATA)
        Words of writes.
    `read` : In(stream of read(context))
        Headers of reads.
    `room` : In(1)
        All completions of one read can be taken without a stall.
    `completion` : Out(stream of completion(context))
        Headers of completions.
    `read_data` : Out(stream of DWORD)
        Words of completions.
    `push` : Out(1)
        Appends a command word to the window.
    `word` : Out(DWORD)
        That word.
    `pop` : Out(1)
        Removes a response word from the window.
    `head` : In(DWORD)
        That word, see `Window`.
    `free` : In(unsigned(LEVEL_BITS))
        Number of command words that the window has room for.
    `waiting` : In(unsigned(LEVEL_BITS))
        Number of response words in the window.
    `overrun` : In(1)
        A command word was pushed without room for it.
    `underrun` : In(1)
        A response word was popped from an empty queue.
    `reset` : Out(1)
        High for one cycle when the host resets the command stream.
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
        self._scratch = memory.Memory(shape=DWORD, depth=PAGE_WORDS, init=[])
        self._read = Signal(self.read.payload.shape())
        """The read in progress; of a write, the fields that both have."""
        self._done = Signal(11)
        """Number of words of the request that are done."""
        self._left = Signal(6)
        """Number of words of this completion that are still to be fetched."""
        self._partial = Signal()
        self._clear = Signal(len(Status))
        self._status = Signal(len(Status))
        self._address = (self._read.offset + self._done)[: PAGE_BITS - 2]
        self._page = self._read.offset[PAGE_BITS - 2 :]
        self._remaining = (self._read.length - self._done)[: len(self._done)]
        self._fetch = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.scratch = self._scratch
        scratch_write = self._scratch.write_port(granularity=8)
        scratch_read = self._scratch.read_port()
        self._keep_status(m)
        self._describe(m)
        self._fetch_word(m, scratch_read)
        with m.FSM():
            with m.State("IDLE"):
                self._begin(m)
            self._write_state(m, scratch_write)
            self._read_states(m)
        return m

    def _begin(self, m: Module) -> None:
        """Take the header of a write or, if there is none, of a read."""
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
        """Keep the flags of the status register, which the host clears."""
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
        """Return the byte enables of the current word, which may be the `last` of its request."""
        middle = Mux(last, self._read.last, ALL_BYTES)
        return Mux(self._done == 0, self._read.first, middle)

    def _crosses_window(self, m: Module, enables: Value) -> Value:
        """Return whether the current word passes through the window, as only a whole word does."""
        with m.If((enables != 0) & (enables != ALL_BYTES)):
            m.d.comb += self._partial.eq(1)
        return enables == ALL_BYTES

    def _write_state(self, m: Module, write: memory.WritePort) -> None:
        """Add the state that takes the words of a write."""
        word, last = self.write_data.payload.word, self.write_data.payload.last
        enables = self._enables(last)
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
        """Write the register at the current address."""
        with m.Switch(self._address):
            with m.Case(Register.STATUS // WORD_BYTES):
                m.d.comb += self._clear.eq(word[: len(Status)])
            with m.Case(Register.CONTROL // WORD_BYTES):
                m.d.comb += self.reset.eq((word & Control.RESET.value).any())

    def _read_states(self, m: Module) -> None:
        """Add the states that give the completions of a read."""
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
        """Compute the header of the next completion."""
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

    def _fetch_word(self, m: Module, read: memory.ReadPort) -> None:
        """Fetch the current word while `_fetch` is high; `read_data` has it from the next cycle."""
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
        """Load `value` with the register at the current address."""
        changing: dict[int, ValueLike] = {
            Register.LEVELS: Cat(self.free, self.waiting),
            Register.STATUS: self._status,
        }
        with m.Switch(self._address):
            for offset, register in {**self.constants, **changing}.items():
                with m.Case(offset // WORD_BYTES):
                    m.d.sync += value.eq(register)
