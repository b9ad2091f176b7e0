# SPDX-License-Identifier: BSD-2-Clause

"""The MAC array after synthesis."""

from pathlib import Path

import pytest
from amaranth import ClockDomain, Module
from amaranth.back import rtlil
from amaranth.hdl import Value
from support.netlists import synthesise

from dualgate_hw.common.mac import MacArray

pytestmark = pytest.mark.slow

NEURONS = 2


def test_every_product_keeps_its_multiplier_on_an_ice40(tmp_path: Path) -> None:
    array = MacArray(NEURONS, 1, vectors=1, weights=1)
    m = Module()
    m.domains.sync = clock = ClockDomain(reset_less=True)
    m.submodules.array = array
    ports = [Value.cast(value) for _, _, value in array.signature.flatten(array)]
    source = rtlil.convert(m, name="top", ports=[clock.clk, *ports], emit_src=False)
    cells = synthesise(tmp_path, source, "ice40")["cells"]
    assert sum(cell["type"] == "SB_MAC16" for cell in cells.values()) == NEURONS
