# SPDX-License-Identifier: BSD-2-Clause

"""cocotb bench: the host's own PCIe device drives a real engine through the models' BAR."""

from dataclasses import replace
from typing import Any

import cocotb
import numpy as np
from cocotb.task import bridge, resume
from pcie_designs import BUILD, DEPTH, ENGINE
from pcie_host import Host
from support.small_engines import state
from support.small_runs import NETWORK, RECIPE, blobs

from dualgate.contract import commands
from dualgate.contract.commands import Op, Words
from dualgate.contract.sample_commands import sample_commands
from dualgate.contract.settings import make_settings
from dualgate.devices import open_device
from dualgate.devices.pcie import BarDevice
from dualgate.link.bar import LEVEL_BITS, Page, Register
from dualgate.link.identity import Identity
from dualgate.train.trainer import Trainer

UPDATE_FRAC = 14
BURST = 16
"""Words that a processor writes at once: a line of its cache."""

PATIENCE = 60.0
"""Seconds: a simulated board takes its time."""


class SimulatedBar:
    """The BAR of a simulated computer, for host code that knows nothing of simulation."""

    def __init__(self, host: Host) -> None:
        self._read = resume(host.device.bar_window[0].read_dword)
        self._write = resume(host.device.bar_window[0].write_dword)

    def read(self, offset: int) -> int:
        return self._read(offset)

    def write(self, offset: int, value: int) -> None:
        self._write(offset, value)

    def send(self, words: Words) -> None:
        for word in words.tolist():
            self._write(Page.WINDOW.base, word)

    def receive(self, count: int) -> Words:
        return np.array([self._read(Page.WINDOW.base) for _ in range(count)], np.uint32)

    def close(self) -> None:
        pass


def train(bar: SimulatedBar, epochs: int) -> BarDevice:
    """A whole run on the golden model and on the board, compared after every epoch."""
    golden = open_device("golden", **vars(ENGINE))
    device = BarDevice(bar, timeout=PATIENCE)
    recipe = replace(RECIPE, epochs=epochs)
    runs = [Trainer(NETWORK, recipe, blobs(20), blobs(5, seed=1)).run(d) for d in (golden, device)]
    for expected, record in zip(*runs, strict=True):
        assert (record.loss, record.accuracy) == (expected.loss, expected.accuracy)
        assert state(device) == state(golden)
        assert replace(device.counters(), cycles=0) == golden.counters()
    return device


@cocotb.test()
async def training(dut: Any) -> None:
    host = Host(dut)
    await host.start()
    device = await bridge(train)(SimulatedBar(host), epochs=2)
    assert device.board == Identity(ENGINE, BUILD)
    assert device.health().words_sent > 700


def kill(bar: SimulatedBar) -> None:
    """A host that ends amid a command, with responses unread; and another one after it."""
    device = BarDevice(bar, timeout=PATIENCE)
    device.configure(NETWORK, UPDATE_FRAC)
    for word in commands.command(Op.READ_WEIGHTS, [0, 12]).tolist():
        bar.write(Page.WINDOW.base, word)
    for word in commands.command(Op.WRITE_WEIGHTS, [0] * 9).tolist()[:7]:
        bar.write(Page.WINDOW.base, word)


@cocotb.test()
async def training_after_a_killed_host(dut: Any) -> None:
    host = Host(dut)
    await host.start()
    bar = SimulatedBar(host)
    await bridge(kill)(bar)
    await bridge(train)(bar, epochs=1)


def configure(bar: SimulatedBar) -> None:
    """Leave the engine with a network."""
    device = BarDevice(bar, timeout=PATIENCE)
    device.configure(NETWORK, UPDATE_FRAC)
    device.set(make_settings(NETWORK, UPDATE_FRAC, 0.1, 16))


@cocotb.test()
async def bursts(dut: Any) -> None:
    """Words in writes of 64 bytes: the engine always has a command waiting, so it is the limit."""
    host = Host(dut)
    await host.start()
    await bridge(configure)(SimulatedBar(host))
    dice = np.random.default_rng(0)
    inputs, outputs = NETWORK.sizes[0], NETWORK.sizes[-1]
    count = 60
    x, target = dice.integers(-999, 999, (count, inputs)), dice.integers(-9, 9, (count, outputs))
    to_send = sample_commands(x, target).tolist()
    heard: list[int] = []
    looks = 0
    while len(heard) < count * (1 + outputs):
        (levels,) = await host.read(Register.LEVELS)
        free, waiting = levels & (1 << LEVEL_BITS) - 1, levels >> LEVEL_BITS
        if to_send and looks:
            assert free < DEPTH, "the engine has to wait for words"
        while to_send and free >= min(BURST, len(to_send)):
            part, to_send = to_send[:BURST], to_send[BURST:]
            await host.write(Page.WINDOW.base, part)
            free -= len(part)
        if waiting:
            heard += await host.read(Page.WINDOW.base, waiting)
        looks += 1
    assert await host.read(Register.STATUS) == [0]
    headers = heard[:: 1 + outputs]
    assert {header & 0xFF for header in headers} <= {Op.TRAIN, Op.TRAIN_DENSE}
    assert looks > 10
