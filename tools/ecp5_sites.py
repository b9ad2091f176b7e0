# SPDX-License-Identifier: BSD-2-Clause

"""Netlist pass: sites for the block RAMs and multipliers of an ECP5, for nearly full parts.

``dualgate build ulx3s-85f --pass tools/ecp5_sites.py``, after ``pip install 'dualgate[placer]'``
"""

from typing import Any

from ecp5_placer.blocks import place_blocks


def rewrite(module: dict[str, Any], part: str) -> str:
    """Give each block the attribute that tells nextpnr its site; return their number in words."""
    return f"{place_blocks(module['cells'], part)} block RAMs and multipliers have sites"
