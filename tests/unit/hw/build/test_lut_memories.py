# SPDX-License-Identifier: BSD-2-Clause

"""Memories that are to be LUTs, and parts that have none of these."""

from amaranth.back import rtlil
from support.benches import small_shapes

from dualgate_hw.build.source import for_synthesis
from dualgate_hw.lanes.core import Core

WISH = 'attribute \\ram_style "distributed"'


def test_descriptors_ask_for_luts_where_luts_can_be_memories() -> None:
    source = rtlil.convert(Core(small_shapes(2)), name="top", emit_src=False)
    assert for_synthesis(source, lut_ram=True).count(WISH) == 1
    # The iCE40 has no such LUTs, and its synthesis ends where it is asked for them.
    assert WISH not in for_synthesis(source, lut_ram=False)
