# SPDX-License-Identifier: BSD-2-Clause

"""cocotb bench: a BAR with an echo behind its window, on the models of root complex and block."""

import random
from typing import Any

import cocotb
from cocotb.triggers import ClockCycles, Timer
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType
from pcie_designs import BUILD, DEPTH
from pcie_host import Host

from dualgate.link.bar import BAR_BYTES, LEVEL_BITS, MAP_VERSION, Control, Page, Register, Status
from dualgate.link.identity import accept

STALLS = {"asking": (0.6, 0.0), "answering": (0.0, 0.6), "both": (0.4, 0.7)}
SCRATCH = Page.SCRATCH.base
WINDOW = Page.WINDOW.base


async def begin(dut: Any, stalls: str = "none", max_payload: int = 128) -> Host:
    host = Host(dut, max_payload)
    await host.start()
    if stalls != "none":
        host.stall(7, *STALLS[stalls])
    return host


async def levels(host: Host) -> tuple[int, int]:
    """Free command words, waiting response words."""
    (word,) = await host.read(Register.LEVELS)
    return word & (1 << LEVEL_BITS) - 1, word >> LEVEL_BITS


async def flags(host: Host) -> Status:
    return Status((await host.read(Register.STATUS))[0])


@cocotb.test()
async def identity(dut: Any) -> None:
    host = await begin(dut)
    assert host.device.bar_size[0] == BAR_BYTES
    assert await host.read(Register.MAP_VERSION) == [MAP_VERSION]
    (count,) = await host.read(Register.IDENTITY_WORDS)
    board = accept(await host.read(Register.IDENTITY, count))
    assert board.build == BUILD
    assert await host.read(Register.COMMAND_DEPTH, 3) == [DEPTH, DEPTH, 1]
    assert await host.read(Page.RESERVED.base, 4) == [0] * 4


class Memory:
    """The scratch page beside its reference, under accesses of every kind."""

    def __init__(self, host: Host, seed: int) -> None:
        self.host = host
        self.dice = random.Random(seed)
        self.expected = bytearray(4096)

    def span(self, longest: int) -> tuple[int, int]:
        """A word and a number of words, often short, often at an end of a block."""
        length = min(self.dice.choice((1, 1, 2, 3, 4, 15, 32, 33, longest)), longest)
        start = self.dice.randrange(1025 - length)
        if self.dice.random() < 0.3:
            start = start // 32 * 32
        return start, length

    def enables(self) -> tuple[int, int]:
        first = self.dice.choice((0, 15, self.dice.randrange(16)))
        return first, self.dice.choice((15, self.dice.randrange(1, 16)))

    async def write(self) -> None:
        start, length = self.span(self.host.max_payload // 4)
        first, last = self.enables()
        first = first or (length > 1)
        values = [self.dice.getrandbits(32) for _ in range(length)]
        await self.host.write(SCRATCH + 4 * start, values, first, last)
        for index, value in enumerate(values):
            enables = first if index == 0 else last if index == length - 1 else 15
            for lane in range(4):
                if enables >> lane & 1:
                    at = 4 * (start + index) + lane
                    self.expected[at] = value >> 8 * lane & 0xFF

    async def read(self) -> None:
        start, length = self.span(1024)
        first, last = self.enables()
        expected = self.expected[4 * start : 4 * (start + length)]
        got = await self.host.read(SCRATCH + 4 * start, length, first or (length > 1), last)
        assert b"".join(word.to_bytes(4, "little") for word in got) == expected

    async def region(self) -> None:
        """Bytes at any address, cut up by the root complex."""
        window = self.host.device.bar_window[0]
        start = self.dice.randrange(4096)
        length = self.dice.randrange(1, 4097 - start)
        data = self.dice.randbytes(length)
        await window.write(SCRATCH + start, data)
        self.expected[start : start + length] = data
        start = self.dice.randrange(4096)
        length = self.dice.randrange(4097 - start)
        got = await window.read(SCRATCH + start, length)
        assert got == self.expected[start : start + length]


@cocotb.test()
@cocotb.parametrize(stalls=["none", *STALLS], max_payload=[128, 512])
async def accesses(dut: Any, stalls: str, max_payload: int) -> None:
    host = await begin(dut, stalls, max_payload)
    memory = Memory(host, seed=max_payload + len(stalls))
    await host.device.bar_window[0].write(SCRATCH, bytes(4096))
    for _ in range(25):
        reads = []
        for _ in range(memory.dice.randrange(4)):
            await memory.write()
        for _ in range(memory.dice.randrange(1, 4)):
            reads.append(cocotb.start_soon(memory.read()))
        for read in reads:
            await read
        if memory.dice.random() < 0.3:
            await memory.region()


@cocotb.test()
async def refusals(dut: Any) -> None:
    host = await begin(dut)
    await host.write(SCRATCH, [1, 2, 3])
    await host.write(SCRATCH, [4], bar=1)
    io = host.request(TlpType.IO_WRITE, 0, 1, 15, 0, bar=2)
    io.data = bytearray(b"\x05\0\0\0")
    wrong = [
        host.request(TlpType.MEM_READ, SCRATCH, 100, 15, 15, bar=1),
        host.request(TlpType.IO_READ, 0, 1, 3, 0, bar=2),
        io,
    ]
    for _ in range(30):
        for request in wrong:
            (completion,) = await host.ask(Tlp(request))
            assert completion.status == CplStatus.UR
            assert completion.fmt_type == TlpType.CPL
            assert completion.lower_address == 0
            assert completion.byte_count == 4 * request.length
        assert await host.read(SCRATCH, 3) == [1, 2, 3]
    assert await flags(host) == Status(0)


@cocotb.test()
@cocotb.parametrize(stalls=["none", *STALLS])
async def echoes(dut: Any, stalls: str) -> None:
    host = await begin(dut, stalls)
    dice = random.Random(3)
    sent: list[int] = []
    heard: list[int] = []
    while len(heard) < 600:
        free, waiting = await levels(host)
        burst = dice.randrange(min(free, 32) + 1)
        values = [dice.getrandbits(32) for _ in range(burst)]
        if burst:
            await host.write(WINDOW + 4 * dice.randrange(900), values)
        sent += values
        if take := dice.randrange(waiting + 1):
            heard += await host.read(WINDOW + 4 * dice.randrange(900), take)
    assert heard == sent[: len(heard)]
    assert await flags(host) == Status(0)


@cocotb.test()
async def dropped_too_much(dut: Any) -> None:
    host = await begin(dut)
    assert await host.read(WINDOW, 3) == [0, 0, 0]
    assert await flags(host) == Status.UNDERRUN
    # Both queues fill, and what is between them; of all that comes later nothing is kept.
    values = list(range(1, 3 * DEPTH))
    for start in range(0, len(values), 16):
        await host.write(WINDOW, values[start : start + 16])
    assert await levels(host) == (0, DEPTH)
    assert await flags(host) == Status.UNDERRUN | Status.OVERRUN
    await host.write(Register.STATUS, [Status.UNDERRUN])
    assert await flags(host) == Status.OVERRUN
    got: list[int] = []
    while (await levels(host))[1]:
        got += await host.read(WINDOW)
    assert len(got) == 2 * DEPTH + 1
    assert got == values[: len(got)]


@cocotb.test()
async def dropped_part_of_a_word(dut: Any) -> None:
    host = await begin(dut)
    await host.write(WINDOW, [1, 2, 3])
    for enables in range(1, 15):
        await host.write(WINDOW, [0xBAD], enables)
        assert await flags(host) == Status.PARTIAL
        await host.write(Register.STATUS, [Status.PARTIAL])
        assert await host.read(WINDOW, 1, enables) == [0]
        assert await flags(host) == Status.PARTIAL
        await host.write(Register.STATUS, [0xFFFF_FFFF], 0b1110)
        assert await flags(host) == Status.PARTIAL
        await host.write(Register.STATUS, [0xFFFF_FFFF], 0b0001)
    await host.write(WINDOW, [0xBAD], 0)
    assert await host.read(WINDOW, 1, 0) == [0]
    assert await flags(host) == Status(0)
    assert await host.read(WINDOW, 3) == [1, 2, 3]
    # In a burst the whole words move.
    await host.write(WINDOW, [0xBAD, 4, 5, 0xBAD], 0b1100, 0b0011)
    assert await flags(host) == Status.PARTIAL
    assert await host.read(WINDOW, 3, 15, 0b0111) == [4, 5, 0]


@cocotb.test()
async def reset_of_the_stream(dut: Any) -> None:
    host = await begin(dut)
    await host.write(WINDOW, list(range(30)))
    await host.read(WINDOW, 2, 0b0001)
    await host.write(Register.CONTROL, [Control.RESET], 0b1110)
    assert (await levels(host))[1] > 0
    await host.write(Register.CONTROL, [Control.RESET])
    assert await levels(host) == (DEPTH, 0)
    assert await flags(host) == Status(0)
    assert await host.read(Register.CONTROL) == [0]
    await host.write(WINDOW, [7])
    assert await host.read(WINDOW) == [7]


@cocotb.test()
async def writes_pass_reads_that_wait(dut: Any) -> None:
    host = await begin(dut)
    values = [random.Random(1).getrandbits(32) for _ in range(1024)]
    window = host.device.bar_window[0]
    await window.write(SCRATCH, b"".join(value.to_bytes(4, "little") for value in values))
    host.block.cc_sink.pause = True
    reads = [cocotb.start_soon(host.read(SCRATCH, 1024)) for _ in range(8)]
    await Timer(5, "us")
    for _ in range(100):
        await host.write(Page.RESERVED.base, [1])
    await host.write(WINDOW, [1, 2, 3])
    await Timer(20, "us")
    assert host.block.cq_queue.empty()
    assert host.block.cq_source.idle()
    host.block.cc_sink.pause = False
    for read in reads:
        assert await read == values
    await ClockCycles(dut.clk, 10)
    assert await levels(host) == (DEPTH, 3)
