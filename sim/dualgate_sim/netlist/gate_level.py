# SPDX-License-Identifier: BSD-2-Clause

"""An engine as synthesis leaves it: the LUTs, flip-flops, block RAMs and multipliers of a part.

A netlist takes the place of the RTL behind the same harness, so that every training run of the RTL
also runs on the netlist. Its cells are simulated by the models that come with yosys; block RAM and
multiplier of the ECP5, which yosys only declares, by those in ``ecp5_cells.v``.
"""

import json
import shutil
from pathlib import Path

from dualgate.contract.engine import Depths, EngineParameters
from dualgate.data.directories import cache_directory, ready_cache, workspace
from dualgate_hw.build.netlist import NetlistPass
from dualgate_hw.build.tools import Tool, find
from dualgate_hw.build.yosys_script import synthesis
from dualgate_hw.identity import build_identity, build_sources

from ..rtl.compiled import HARNESS, content_hash
from ..rtl.verilated import library

TOP = "engine"

ECP5_CELLS = Path(__file__).with_name("ecp5_cells.v")

MODELS = {
    # Deferred, because to elaborate the largest RAM takes minutes and few engines use it.
    "ice40": "read_verilog -defer +/ice40/cells_sim.v",
    # Without the vendor's names of cells, which are defined twice there.
    "ecp5": "read_verilog -DNO_INCLUDES +/lattice/cells_sim_ecp5.v\n"
    f"read_verilog -overwrite {ECP5_CELLS.name}",
}
"""The yosys commands that read the models of a family's cells."""

SIMULATION = f"""\
read_json {TOP}.json
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
"""The yosys script that replaces each cell of a netlist by its model.

Thousands of small modules would take a simulator's compiler many times as long. `setundef` is for
block RAMs with narrow words: they keep write ports whose enable and address nothing drives.
"""


def netlist(
    engine: EngineParameters, depths: Depths, family: str, passes: tuple[NetlistPass, ...] = ()
) -> str:
    """Synthesise an engine with the script of a board's build.

    Parameters
    ----------
    engine : EngineParameters
    depths : Depths
    family : str
        A key of `MODELS`.
    passes : tuple of NetlistPass
        Changes to the netlist, as a build makes them; they see the family in place of a part.

    Returns
    -------
    str
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
    # A new directory, because files that an interrupted run of yosys leaves would end the next run.
    with workspace() as work:
        yosys = find("yosys")
        (work / f"{TOP}.il").write_text(source)
        _run(yosys, work, "synthesis", synthesis(TOP, family))
        synthesised = work / f"{TOP}.json"
        module = json.loads(synthesised.read_text())["modules"][TOP]
        for netlist_pass in passes:
            netlist_pass.rewrite(module, family)
        # Without the library, whose modules are declared there: the models take their place.
        synthesised.write_text(json.dumps({"modules": {TOP: module}}))
        shutil.copy(ECP5_CELLS, work)
        _run(yosys, work, "simulation", SIMULATION.format(models=MODELS[family]))
        return (work / f"{TOP}.sv").read_text()


def _run(yosys: Tool, work: Path, name: str, script: str) -> None:
    (work / f"{name}.ys").write_text(script)
    # Its log is a file, because standard output is lost when synthesis fails.
    log = ready_cache() / "gates.log"
    yosys.run(["-q", "-l", f"{name}.log", f"{name}.ys"], work, log)


def build(
    engine: EngineParameters, depths: Depths, family: str, passes: tuple[NetlistPass, ...] = ()
) -> Path:
    """Synthesise and compile an engine, unless it is cached; parameters and errors of `netlist`.

    Returns
    -------
    Path
        The shared library. Compiling takes minutes: a netlist has only bits, no words.
    """
    tools = (content_hash(engine, depths, None), find("yosys").identity)
    files = (*build_sources(), Path(__file__), ECP5_CELLS, *(each.path for each in passes))
    version = build_identity(family, tools, files=files).hex()[:16]
    target = cache_directory() / f"gates-{family}-{version}.so"

    def source() -> str:
        return netlist(engine, depths, family, passes)

    return library(target, source, TOP, HARNESS, f"the netlist for {family}")
