# SPDX-License-Identifier: BSD-2-Clause

"""iCEBreaker: an iCE40UP5K, and a bridge that reaches 12 Mbaud."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from dualgate.contract.engine import Depths, EngineParameters

from ..link.serial.line import LinkParameters
from .board import Board, Capacity, Leds
from .clock import Ice40Pll

COMPACT = EngineParameters(
    neurons=4,
    arrays=1,
    compact=1,
    layers=4,
    rows=2048,
    inputs=80,
    activations=64,
    vectors=16,
    groups=10,
)
"""The compact engine of the iCE40UP5K; its rows fill the four SPRAMs."""

ICEBREAKER = Board(
    name="icebreaker",
    title="iCEBreaker 1.0",
    part="iCE40UP5K",
    family="ice40",
    platform=ICEBreakerPlatform,
    capacity=Capacity(5_280, 5_280, 30, 4_096, 8),
    clock=Ice40Pll("clk12", 12, divr=0, divf=63, divq=5),
    engine=COMPACT,
    depths=Depths(),
    link=LinkParameters(receive_words=256, send_words=128),
    baud=3_000_000,
    bridge="FT2232H",
    leds=Leds(alive=("led_g", 0), training=("led_r", 0)),
    reset=("button", 0),
    program=("openFPGALoader", "-b", "ice40_generic", "{}"),
)
