# SPDX-License-Identifier: BSD-2-Clause

"""A computer with one PCIe slot: root complex and the model of the UltraScale+ block in it."""

import itertools
import logging
import random
from typing import Any

from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiStreamBus
from cocotbext.pcie.core import RootComplex
from cocotbext.pcie.core.tlp import CplStatus, Tlp, TlpType
from cocotbext.pcie.xilinx.us import UltraScalePlusPcieDevice

from dualgate.link.bar import BAR_BYTES

STREAMS = ("rq", "rc", "cq", "cc")

WAIT_NS = 1_000_000
"""After so long a read is taken to hang."""


def quiet() -> None:
    """The models log every packet, each under a name of its own."""
    for name in ("cocotb.pcie", "cocotb.pcie_board"):
        logging.getLogger(name).setLevel(logging.WARNING)


class Host:
    """The design in a slot. Beside its own BAR 0 there are a second one and one for I/O.

    Parameters
    ----------
    max_payload : int
        Bytes of data that a packet may have.

    Members
    -------
    root, block : the models
    device : the device as the root complex found it, after `start`
    """

    def __init__(self, dut: Any, max_payload: int = 128) -> None:
        quiet()
        self.dut = dut
        self.max_payload = max_payload
        self.root = RootComplex()
        self.root.max_payload_size_supported = (max_payload // 128).bit_length() - 1
        self.block = UltraScalePlusPcieDevice(
            pcie_generation=3,
            pcie_link_width=2,
            user_clk_frequency=250e6,
            alignment="dword",
            max_payload_size=max_payload,
            user_clk=dut.clk,
            user_reset=dut.rst,
            **{f"{name}_bus": AxiStreamBus.from_prefix(dut, f"{name}_") for name in STREAMS},
            pcie_cq_np_req=dut.np_req,
        )
        quiet()
        function = self.block.functions[0]
        function.configure_bar(0, BAR_BYTES)
        function.configure_bar(1, BAR_BYTES)
        function.configure_io_bar(2, 256)
        self.root.make_port().connect(self.block)

    def stall(self, seed: int, requests: float, completions: float) -> None:
        """Hold back beats at random, with these odds a cycle."""
        for stream, odds in ((self.block.cq_source, requests), (self.block.cc_sink, completions)):
            dice = random.Random(seed)
            stream.set_pause_generator(dice.random() < odds for _ in itertools.count())

    async def start(self) -> None:
        await FallingEdge(self.dut.rst)
        await self.root.enumerate()
        self.device = self.root.find_device(self.block.functions[0].pcie_id)
        await self.device.enable_device()

    async def ask(self, request: Tlp) -> list[Tlp]:
        """Send a request that is answered; returns its completions."""
        completions = await self.root.perform_nonposted_operation(request, WAIT_NS, "ns")
        assert completions, "a request was not answered"
        return completions

    async def read(
        self, offset: int, length: int = 1, first: int = 15, last: int = 15
    ) -> list[int]:
        """Words of one memory read, checked for what PCIe demands of its completions."""
        request = self.request(TlpType.MEM_READ, offset, length, first, last)
        return words(check(request, await self.ask(request), self.max_payload))

    async def write(
        self, offset: int, values: list[int], first: int = 15, last: int = 15, bar: int = 0
    ) -> None:
        """One memory write."""
        request = self.request(TlpType.MEM_WRITE, offset, len(values), first, last, bar)
        request.data = bytearray(b"".join(value.to_bytes(4, "little") for value in values))
        await self.root.perform_posted_operation(request)

    def request(
        self, kind: TlpType, offset: int, length: int, first: int, last: int, bar: int = 0
    ) -> Tlp:
        request = Tlp()
        request.fmt_type = kind
        request.address = self.device.bar_addr[bar] + offset
        request.length, request.first_be = length, first
        request.last_be = last if length > 1 else 0
        return request


def words(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)]


def check(request: Tlp, completions: list[Tlp], max_payload: int) -> bytes:
    """Data of a read's completions, after a check of every field that PCIe prescribes."""
    enabled = [
        4 * index + lane
        for index in range(request.length)
        for lane in range(4)
        if (
            request.first_be
            if index == 0
            else request.last_be
            if index == request.length - 1
            else 15
        )
        >> lane
        & 1
    ] or [0]
    at, end, data = request.address, request.address + 4 * request.length, b""
    for completion in completions:
        assert completion.status == CplStatus.SC
        assert completion.fmt_type == TlpType.CPL_DATA
        assert (completion.tag, completion.requester_id) == (request.tag, request.requester_id)
        assert (completion.tc, completion.attr) == (request.tc, request.attr)
        start = request.address + enabled[0] if at == request.address else at
        assert completion.lower_address == start & 0x7F
        assert completion.byte_count == request.address + enabled[-1] + 1 - start
        assert len(completion.data) <= max_payload
        at += len(completion.data)
        data += bytes(completion.data)
        assert at % 128 == 0 or at == end, "a completion ends at no read completion boundary"
    assert at == end
    return data
