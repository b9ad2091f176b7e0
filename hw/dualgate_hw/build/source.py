# SPDX-License-Identifier: BSD-2-Clause

"""What Amaranth writes, as synthesis is given it."""

from .collisions import allow_collisions
from .contents import forget_contents
from .lut_memories import prefer_luts
from .names import without_indices


def for_synthesis(rtlil: str, lut_ram: bool = False) -> str:
    """The same design, without what costs area for nothing, what a part cannot do and what
    yosys gets wrong; `lut_ram` says whether the part's LUTs can be memories."""
    rtlil = without_indices(forget_contents(allow_collisions(rtlil)))
    return prefer_luts(rtlil) if lut_ram else rtlil
