# SPDX-License-Identifier: BSD-2-Clause

"""Counts of a netlist's cells, and checks on its memories and multipliers."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import FitError
from dualgate.cycles import multipliers

from ..boards.board import Board
from .families import Family

FF_BITS = 1024
"""Bits of the largest memory that may become flip-flops."""

LUT_WORDS = 64
"""Words of the deepest memory that may become LUTs, in a family that has such memories."""

_DECLARED = re.compile(r"^  memory width (\d+) size (\d+) \\(\S+)$")
_MODULE = re.compile(r"^module \\(\S+)$")
_MAPPED = re.compile(r"^mapping memory (\S+) via \$__(\S+)$")
_REGISTERS = re.compile(r"^using FF mapping for memory (\S+)$")


@dataclass(frozen=True)
class Utilisation:
    """Numbers of cells in a netlist.

    Parameters
    ----------
    luts : int
        Includes carry cells and memories made of LUTs.
    flip_flops, block_rams, multipliers : int
    """

    luts: int
    flip_flops: int
    block_rams: int
    multipliers: int


def count(netlist: Path, family: Family) -> Utilisation:
    """Count the cells of a flat netlist as yosys writes it."""
    cells: dict[str, int] = {}
    for module in json.loads(netlist.read_text())["modules"].values():
        # yosys writes the cell library, too, as modules without cells.
        for cell in module["cells"].values():
            cells[cell["type"]] = cells.get(cell["type"], 0) + 1
    return Utilisation(
        luts=sum(cells.get(name, 0) for name in family.luts)
        + sum(cells.get(name, 0) * weight for name, weight in family.weights.items()),
        flip_flops=sum(cells.get(name, 0) for name in family.flip_flops),
        block_rams=sum(
            cells.get(name, 0) * (2 if name == "RAMB36E1" else 1) for name in family.block_rams
        ),
        multipliers=sum(cells.get(name, 0) for name in family.multipliers),
    )


def memories(rtlil: str) -> dict[str, tuple[int, int]]:
    """Read the width and depth of every memory from RTLIL, by its path from the top level."""
    found = {}
    path = ""
    for line in rtlil.splitlines():
        if module := _MODULE.match(line):
            path = module[1]
        elif declared := _DECLARED.match(line):
            found[f"{path}.{declared[3]}"] = (int(declared[1]), int(declared[2]))
    return found


def check_memories(log: str, declared: dict[str, tuple[int, int]], family: Family) -> None:
    """Raise `FitError` for a memory that became registers or too many LUTs.

    Parameters
    ----------
    log : str
        The log of yosys.
    declared : dict
        See `memories`.
    family : Family
    """
    for line in log.splitlines():
        mapped, registers = _MAPPED.match(line), _REGISTERS.match(line)
        if not (mapped or registers):
            continue
        name = (mapped or registers)[1]  # type: ignore[index]
        width, depth = declared.get(name, (0, 0))
        if registers and width * depth > FF_BITS:
            raise FitError(
                f"memory {name} ({depth} words of {width} bits) became registers; give it ports "
                "that a block RAM of this part has"
            )
        if mapped and _is_lut(mapped[2]) and depth > LUT_WORDS:
            raise FitError(
                f"memory {name} ({depth} words of {width} bits) became LUTs; make it shallower, "
                "or give it ports that a block RAM of this part has"
            )


def _is_lut(kind: str) -> bool:
    return any(word in kind for word in ("DPR16X4", "LUTRAM", "XILINX_LUTRAM"))


def check_multipliers(used: Utilisation, engine: EngineParameters) -> None:
    """Raise `FitError` when some of the engine's multipliers became LUTs."""
    wanted = multipliers(engine)
    if used.multipliers < wanted:
        raise FitError(
            f"{used.multipliers} of {wanted} multipliers became DSP blocks, the others LUTs; "
            "build with fewer neurons"
        )


def check_multipliers_fit(engine: EngineParameters, board: Board) -> None:
    """Raise `FitError` when the engine has more multipliers than the part."""
    need, most = multipliers(engine), board.capacity.multipliers
    if need > most:
        raise FitError(
            f"{board.name}: {need} multipliers needed, the {board.part} has {most}; build with "
            "fewer neurons, tangent lanes or cores"
        )


def check_fit(used: Utilisation, board: Board) -> None:
    """Raise `FitError` when the part lacks cells; it names their kind and both numbers."""
    has = board.capacity
    for what, need, most in (
        ("LUTs", used.luts, has.luts),
        ("flip-flops", used.flip_flops, has.flip_flops),
        ("block RAMs", used.block_rams, has.block_rams),
        ("multipliers", used.multipliers, has.multipliers),
    ):
        if need > most:
            raise FitError(
                f"{need} {what} needed, the {board.part} has {most}; build with "
                "fewer neurons, tangent lanes or cores"
            )
