# SPDX-License-Identifier: BSD-2-Clause

"""An engine as synthesis leaves it: the LUTs, flip-flops, block RAMs and multipliers of a part.

A netlist takes the place of the RTL behind the same harness, so that what trains on the one trains
on the other. Its cells are simulated by the models that come with yosys, and block RAM and
multiplier of the ECP5, which yosys only declares, by those in ``ecp5_cells.v``.
"""

import json
import shutil
import tempfile
from pathlib import Path

from dualgate.contract.engine import Depths, EngineParameters
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.multiplier_registers import absorb_registers
from dualgate_hw.build.source import for_synthesis
from dualgate_hw.build.tools import find
from dualgate_hw.identity import build_identity, build_sources

from ..rtl.cache import cache_directory
from ..rtl.compiled import HARNESS, content_hash
from ..rtl.verilated import library

TOP = "engine"

ECP5_CELLS = Path(__file__).with_name("ecp5_cells.v")

MODELS = {
    # Not elaborated before it is used: the largest RAM takes minutes.
    "ice40": "read_verilog -defer +/ice40/cells_sim.v",
    # Without the vendor's names of cells, which are defined twice there.
    "ecp5": "read_verilog -DNO_INCLUDES +/lattice/cells_sim_ecp5.v\n"
    f"read_verilog -overwrite {ECP5_CELLS.name}",
}
"""How yosys reads the models of a family's cells."""

SYNTHESIS = f"""\
read_rtlil {TOP}.il
synth_{{family}} {{options}} -top {TOP}
write_json netlist.json
"""
"""As a board's build does it."""

SIMULATION = f"""\
read_json netlist.json
{{models}}
hierarchy -check -top {TOP}
proc -norom
flatten
rename -hide
opt -fast
memory_collect
setundef -undriven -zero
opt -fast
write_verilog -noattr -sv {TOP}.sv
"""
"""Each cell of the netlist makes way for its model: thousands of small modules would cost a
simulator's compiler many times the time. A block RAM whose words are narrow leaves writes behind
that are enabled by nothing, to an address that is none."""


def netlist(engine: EngineParameters, depths: Depths, family: str) -> str:
    """Synthesise an engine.

    Parameters
    ----------
    engine : EngineParameters
    depths : Depths
    family : str
        A key of `MODELS`.

    Returns
    -------
    SystemVerilog of the netlist, with the models of its cells.

    Raises
    ------
    MissingToolError
        When yosys is missing.
    DeviceError
        When it fails.
    """
    from amaranth.back import rtlil

    from dualgate_hw.common.verilog import WithoutReset
    from dualgate_hw.engines import make_engine

    source = rtlil.convert(WithoutReset(make_engine(engine, depths)), name=TOP, emit_src=False)
    synthesis = SYNTHESIS.format(family=family, options=FAMILIES[family].synthesis)
    simulation = SIMULATION.format(models=MODELS[family])
    # A directory of its own: what an interrupted run leaves there ends the next one.
    with tempfile.TemporaryDirectory(prefix="dualgate-") as name:
        work = Path(name)
        (work / f"{TOP}.il").write_text(for_synthesis(source, FAMILIES[family].lut_ram))
        (work / "synthesis.ys").write_text(synthesis)
        (work / "simulation.ys").write_text(simulation)
        shutil.copy(ECP5_CELLS, work)
        # Nothing to standard output, which does not survive synthesis.
        log = Path(tempfile.gettempdir()) / "dualgate-gates.log"
        yosys = find("yosys")
        yosys.run(["-q", "-l", "synthesis.log", "synthesis.ys"], work, log)
        synthesised = work / "netlist.json"
        module = json.loads(synthesised.read_text())["modules"][TOP]
        if FAMILIES[family].multiplier_registers:
            absorb_registers(module)
        # The library, whose modules are declared there, gives way to the models.
        synthesised.write_text(json.dumps({"modules": {TOP: module}}))
        yosys.run(["-q", "-l", "simulation.log", "simulation.ys"], work, log)
        return (work / f"{TOP}.sv").read_text()


def build(engine: EngineParameters, depths: Depths, family: str) -> Path:
    """Synthesise and compile, unless that was done before; parameters and errors of `netlist`.

    Returns
    -------
    Path of the shared library. Minutes, once: a netlist has no words, only bits.
    """
    tools = (content_hash(engine, depths, False), find("yosys").identity)
    files = (*build_sources(), Path(__file__), ECP5_CELLS)
    version = build_identity(family, tools, files=files).hex()[:16]
    target = cache_directory() / f"gates-{family}-{version}.so"

    def source() -> str:
        return netlist(engine, depths, family)

    return library(target, source, TOP, HARNESS, f"the netlist for {family}", trace=False)
