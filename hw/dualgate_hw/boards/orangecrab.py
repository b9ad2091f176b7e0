# SPDX-License-Identifier: BSD-2-Clause

"""OrangeCrab 0.2: an ECP5 on a feather; it has no bridge to USB, so the UART is on the header."""

from dataclasses import replace

from amaranth.build import Attrs, Platform
from amaranth_boards.orangecrab_r0_2 import OrangeCrabR0_2_25FPlatform
from amaranth_boards.resources import UARTResource

from .board import Leds
from .clock import Ecp5Pll
from .ulx3s import ULX3S_25F


def _header_uart(platform: Platform) -> None:
    """Add a UART at the feather's usual pins: pin 0 receives, pin 1 sends."""
    platform.add_resources(
        [UARTResource(0, rx="0", tx="1", conn=("io", 0), attrs=Attrs(IO_TYPE="LVCMOS33"))]
    )


ORANGECRAB = replace(
    ULX3S_25F,
    name="orangecrab",
    title="OrangeCrab 0.2 (25F)",
    platform=OrangeCrabR0_2_25FPlatform,
    clock=Ecp5Pll("clk", 48, multiply=5, divide=3, output=8),
    bridge="an adapter for 3.3 V, such as an FT232H, on the header",
    leds=Leds(alive=("rgb_led", 0, "g"), link=("rgb_led", 0, "b"), training=("rgb_led", 0, "r")),
    reset=("button", 0),
    prepare=_header_uart,
    program=("dfu-util", "-a", "0", "-D", "{}"),
)
