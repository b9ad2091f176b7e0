# SPDX-License-Identifier: BSD-2-Clause

"""Families of FPGAs: their tools with options, and the names of their cells."""

from dataclasses import dataclass

Cells = frozenset[str]


@dataclass(frozen=True)
class Family:
    """A family of FPGAs.

    Parameters
    ----------
    tools : tuple of str
        Tools that a build runs, by Amaranth's names.
    synthesis : str
        Options of the ``synth_`` command.
    luts, flip_flops, block_rams, multipliers : frozenset of str
        Types of cells in the netlist.
    weights : dict
        Number of LUTs for each type of cell that takes more than one, or is not named a LUT.
    bitstream : str
        Extension of the file to load.
    lut_ram : bool
        Whether LUTs can be memories.
    placement : tuple of str
        Options of nextpnr.
    global_reset : bool
        Whether the reset with most registers gets a buffer, see `spread_reset`.
    """

    tools: tuple[str, ...]
    synthesis: str
    luts: Cells
    flip_flops: Cells
    block_rams: Cells
    multipliers: Cells
    weights: dict[str, int]
    bitstream: str
    lut_ram: bool
    placement: tuple[str, ...] = ()
    global_reset: bool = False


def _ice40_flip_flops() -> Cells:
    controls = ("", "E", "SR", "R", "SS", "S", "ESR", "ER", "ESS", "ES")
    return frozenset(f"SB_DFF{edge}{control}" for edge in ("", "N") for control in controls)


def _gowin_flip_flops() -> Cells:
    controls = ("", "E", "S", "SE", "R", "RE", "P", "PE", "C", "CE")
    return frozenset(f"DFF{edge}{control}" for edge in ("", "N") for control in controls)


FAMILIES = {
    "ecp5": Family(
        tools=("yosys", "nextpnr-ecp5", "ecppack"),
        # A LUT with more than four inputs takes two to eight LUTs and saves little time.
        synthesis="-nowidelut",
        luts=frozenset({"LUT4"}),
        flip_flops=frozenset({"TRELLIS_FF"}),
        block_rams=frozenset({"DP16KD", "PDPW16KD"}),
        multipliers=frozenset({"MULT18X18D"}),
        # A carry cell is two LUTs, a memory of 16 x 4 four and the two that hold its write port.
        weights={"CCU2C": 2, "TRELLIS_DPR16X4": 6},
        bitstream="bit",
        lut_ram=True,
        # For an engine of 16 neurons, its wires are a quarter shorter than the default placer's.
        placement=("--placer", "static"),
        global_reset=True,
    ),
    "ice40": Family(
        tools=("yosys", "nextpnr-ice40", "icepack"),
        synthesis="-dsp -spram",
        luts=frozenset({"SB_LUT4"}),
        flip_flops=_ice40_flip_flops(),
        block_rams=frozenset({"SB_RAM40_4K"}),
        multipliers=frozenset({"SB_MAC16"}),
        weights={},
        bitstream="bin",
        lut_ram=False,
    ),
    "gowin": Family(
        tools=("yosys", "nextpnr-gowin", "gowin_pack"),
        synthesis="",
        luts=frozenset({"LUT1", "LUT2", "LUT3", "LUT4"}),
        flip_flops=_gowin_flip_flops(),
        block_rams=frozenset({"SP", "SDPB", "DPB", "DPX9B", "SDPX9B", "SPX9"}),
        multipliers=frozenset({"MULT9X9", "MULT18X18", "MULT36X36"}),
        weights={"ALU": 1, "RAM16SDP4": 4},
        bitstream="fs",
        lut_ram=True,
    ),
    "xilinx": Family(
        tools=("yosys",),
        synthesis="-family xc7 -abc9 -flatten",
        luts=frozenset({f"LUT{inputs}" for inputs in range(1, 7)}),
        flip_flops=frozenset({"FDRE", "FDSE", "FDCE", "FDPE"}),
        block_rams=frozenset({"RAMB18E1", "RAMB36E1"}),
        multipliers=frozenset({"DSP48E1"}),
        weights={"RAM32M": 4, "RAM64M": 4, "RAM32X1D": 2, "RAM64X1D": 2, "INV": 1},
        bitstream="",
        lut_ram=True,
    ),
}
