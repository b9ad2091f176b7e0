# SPDX-License-Identifier: BSD-2-Clause

"""The clock's rate that nextpnr reports, and the path that limits it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

_CELL = re.compile("_(?:TRELLIS|SB|LUT|DP16KD|PDPW|MULT|DFF|PFUMX|L6MUX|CCU2C|CARRY|ALU|MUX)")
"""The suffix by which synthesis makes a signal's name into that of the cell that drives it."""


@dataclass(frozen=True)
class Timing:
    """The speed of one placement.

    Parameters
    ----------
    seed : int
    mhz : float
        Highest rate of the engine's clock.
    path : str
        Beginning and end of the slowest path, by the names of the gateware's parts.
    logic_ns, routing_ns : float
        Delays of that path.
    """

    seed: int
    mhz: float
    path: str
    logic_ns: float
    routing_ns: float


def read_timing(report: Path, seed: int) -> Timing:
    """Read nextpnr's report; if there are several clocks, the slowest is returned."""
    content = json.loads(report.read_text())
    name, clock = min(content["fmax"].items(), key=lambda item: item[1]["achieved"])
    paths = [
        path
        for path in content["critical_paths"]
        if path["from"] == path["to"] and path["from"].split(" ")[-1] == name
    ]
    steps = paths[0]["path"] if paths else []
    kinds = {
        kind: sum(step["delay"] for step in steps if (step["type"] == "routing") == kind)
        for kind in (True, False)
    }
    ends = [part_of(steps[0]["from"]["cell"]), part_of(steps[-1]["to"]["cell"])] if steps else []
    return Timing(
        seed, clock["achieved"], " to ".join(ends), round(kinds[False], 2), round(kinds[True], 2)
    )


def part_of(cell: str) -> str:
    """Return the part of the gateware to which a cell of the netlist belongs.

    Parameters
    ----------
    cell : str
        Its name in nextpnr's report: the path of a signal, and a suffix from synthesis.
    """
    path = re.sub(r"\$.*?\\|\$(?=\w+\\)", "", cell)
    path = _CELL.split(path)[0]
    parts = [part for part in re.sub(r"\$\d+|:\d+|\[\d+\]", "", path).split(".") if part]
    known = [part for part in parts if part not in ("top", "uart", "inner", "engine")]
    return ".".join(known[:4]) or cell
