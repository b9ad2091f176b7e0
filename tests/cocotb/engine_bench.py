# SPDX-License-Identifier: BSD-2-Clause

"""cocotb bench: the engine's two streams, each under its own kind of stalls."""

import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from conversations import ENGINES, NETWORKS, Exchange, conversation, identify, malformed

from dualgate.contract.engine import WORD_BITS, EngineParameters

STALLS = {"none": 0.0, "random": 0.5, "heavy": 0.9}
PATIENCE = 20_000


def engine() -> EngineParameters:
    """The engine that is simulated."""
    return ENGINES[cocotb.plusargs["engine"]]


def beats(words: list[int]) -> list[int]:
    """Words as the command port takes them, several at once; padding behind the last."""
    size = engine().beat
    return [
        sum(word << WORD_BITS * place for place, word in enumerate(words[start : start + size]))
        for start in range(0, len(words), size)
    ]


async def reset(dut: Any) -> None:
    dut.command__valid.value = 0
    dut.response__ready.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0


async def start(dut: Any) -> None:
    cocotb.start_soon(Clock(dut.clk, 2, unit="ns").start())
    await reset(dut)


class Streams:
    """Drives commands and checks responses, a beat and a word at a time.

    Parameters
    ----------
    pause, backpressure : str
        Keys of `STALLS`: how often commands and responses are held back.
    """

    def __init__(self, dut: Any, pause: str, backpressure: str, seed: int = 0) -> None:
        self.dut = dut
        self.pause, self.backpressure = STALLS[pause], STALLS[backpressure]
        self.dice = random.Random(seed)

    async def run(self, exchanges: list[Exchange]) -> None:
        """Say everything at once, and compare each word that comes back."""
        dut = self.dut
        to_send = beats([word for exchange in exchanges for word in exchange.command])
        expected = [
            (exchange.name, position, word)
            for exchange in exchanges
            for position, word in enumerate(exchange.response)
        ]
        sent = got = quiet = 0
        valid = ready = False
        offered = None
        while sent < len(to_send) or got < len(expected):
            await RisingEdge(dut.clk)
            takes = valid and bool(dut.command__ready.value)
            gives = bool(dut.response__valid.value)
            word = int(dut.response__payload.value) if gives else None
            if offered is not None:
                assert word == offered, "a response word was withdrawn or changed"
            offered = word if gives and not ready else None
            if gives and ready:
                assert got < len(expected), f"unexpected word {word:#x}"
                name, position, wanted = expected[got]
                assert wanted in (None, word), (
                    f"{name}, word {position}: {word:#x}, not {wanted:#x}"
                )
                got += 1
            quiet = 0 if takes or (gives and ready) else quiet + 1
            assert quiet < PATIENCE, f"no word moved for {PATIENCE} cycles"
            if takes:
                sent += 1
                valid = False
            if not valid and sent < len(to_send) and self.dice.random() >= self.pause:
                valid = True
                dut.command__payload.value = to_send[sent]
            dut.command__valid.value = valid
            ready = self.dice.random() >= self.backpressure
            dut.response__ready.value = ready
        dut.command__valid.value = 0
        dut.response__ready.value = 0


@cocotb.test()
@cocotb.parametrize(pause=list(STALLS), backpressure=list(STALLS))
async def streams_under_stalls(dut: Any, pause: str, backpressure: str) -> None:
    await start(dut)
    streams = Streams(dut, pause, backpressure)
    for seed, network in enumerate(NETWORKS):
        await streams.run(conversation(engine(), network, seed))


@cocotb.test()
@cocotb.parametrize(pause=["none", "random"], backpressure=["none", "random"])
async def mistakes_in_between(dut: Any, pause: str, backpressure: str) -> None:
    await start(dut)
    streams = Streams(dut, pause, backpressure)
    for seed, network in enumerate(NETWORKS):
        await streams.run(conversation(engine(), network, 100 + seed, mistakes=0.7))
        await streams.run([e for wrong in malformed(network) for e in (wrong, identify(engine()))])
        await streams.run(malformed(network))


@cocotb.test()
async def a_command_at_a_time(dut: Any) -> None:
    await start(dut)
    streams = Streams(dut, "none", "none")
    for exchange in conversation(engine(), NETWORKS[2], 7):
        await streams.run([exchange])


@cocotb.test()
async def reset_inside_a_command(dut: Any) -> None:
    await start(dut)
    streams = Streams(dut, "none", "none")
    whole = conversation(engine(), NETWORKS[0], 3)
    torn = beats([word for exchange in whole for word in exchange.command])
    for keep in (2, 40, 200):
        dut.response__ready.value = 1
        for beat in torn[:keep]:
            dut.command__valid.value = 1
            dut.command__payload.value = beat
            await RisingEdge(dut.clk)
            while not dut.command__ready.value:
                await RisingEdge(dut.clk)
        await reset(dut)
        await streams.run([identify(engine())])
        await streams.run(whole)
