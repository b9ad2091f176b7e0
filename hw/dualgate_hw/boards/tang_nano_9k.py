# SPDX-License-Identifier: BSD-2-Clause

"""Tang Nano 9K: a GW1NR-9C, and a bridge that reaches 3 Mbaud."""

from dataclasses import replace

from amaranth_boards.tang_nano_9k import TangNano9kPlatform

from dualgate.contract.engine import Depths

from ..link.serial.line import LinkParameters
from .board import Board, Capacity, Leds
from .clock import GowinPll
from .icebreaker import COMPACT

TANG_NANO_9K = Board(
    name="tang-nano-9k",
    title="Tang Nano 9K",
    part="GW1NR-9C",
    family="gowin",
    platform=TangNano9kPlatform,
    capacity=Capacity(8_640, 6_480, 26, 18_432, 20),
    clock=GowinPll("clk27", 27, fbdiv=2, idiv=1, odiv=16),
    engine=replace(COMPACT, rows=704),
    depths=Depths(),
    link=LinkParameters(receive_words=256, send_words=128),
    baud=3_000_000,
    bridge="BL702",
    leds=Leds(alive=("led", 0), link=("led", 1), training=("led", 2)),
    reset=("button", 0),
    program=("openFPGALoader", "-b", "tangnano9k", "{}"),
)
