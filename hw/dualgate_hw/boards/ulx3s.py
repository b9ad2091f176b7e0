# SPDX-License-Identifier: BSD-2-Clause

"""ULX3S: three sizes of ECP5, and a bridge that reaches 3 Mbaud."""

from dataclasses import replace

from amaranth_boards import ulx3s

from dualgate.contract.engine import Depths, EngineParameters

from ..link.serial.line import LinkParameters
from .board import Board, Capacity, Leds
from .clock import Clock, Ecp5Pll

CLOCK_80 = Ecp5Pll("clk25", 25, multiply=16, divide=5, output=8)

LINK = LinkParameters(receive_words=1024, send_words=512)


def _board(
    size: str, capacity: Capacity, engine: EngineParameters, depths: Depths, clock: Clock
) -> Board:
    return Board(
        name=f"ulx3s-{size}",
        title=f"ULX3S-{size.upper()}",
        part=f"LFE5U-{size.upper()}",
        family="ecp5",
        platform=getattr(ulx3s, f"ULX3S_{size.upper()}_Platform"),
        capacity=capacity,
        clock=clock,
        engine=engine,
        depths=depths,
        link=LINK,
        baud=3_000_000,
        bridge="FT231X",
        leds=Leds(alive=("led", 0), link=("led", 1), training=("led", 2)),
        reset=("button_fire", 0),
        program=("openFPGALoader", "-b", "ulx3s", "{}"),
    )


ULX3S_25F = _board(
    "25f",
    Capacity(24_288, 24_288, 56, 18_432, 28),
    EngineParameters(
        neurons=4, layers=4, rows=1024, inputs=128, activations=64, vectors=16, groups=8
    ),
    Depths(contexts=4, slots=4, threads=3),
    CLOCK_80,
)

MNIST = EngineParameters(
    neurons=16, layers=4, rows=1024, inputs=1024, activations=64, vectors=4, groups=2
)
"""An engine that just holds 784-16-16-10."""

ULX3S_45F = _board(
    "45f",
    Capacity(43_848, 43_848, 108, 18_432, 72),
    replace(MNIST, apply_lanes=4),
    Depths(contexts=4, slots=8, threads=3),
    CLOCK_80,
)

ULX3S_85F = _board(
    "85f",
    Capacity(83_640, 83_640, 208, 18_432, 156),
    # Two words of slopes for each of eight contexts just fill a memory made of LUTs.
    replace(MNIST, cores=3, apply_lanes=8, vectors=2, groups=1),
    Depths(contexts=8, slots=8, threads=4, listed=2048),
    CLOCK_80,
)
