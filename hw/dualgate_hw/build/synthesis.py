# SPDX-License-Identifier: BSD-2-Clause

"""From sources to a netlist, and whether that netlist may be placed."""

import time

from dualgate.contract.errors import FitError

from .global_reset import spread_reset
from .job import NAME, Build, Commands, Tools
from .netlist import rewritten
from .utilisation import Utilisation, check_fit, check_memories, check_multipliers, count, memories


def synthesise(job: Build, tools: Tools, commands: Commands) -> Utilisation:
    """Run yosys and change its netlist for the placer; return the cells that are left."""
    job.step("synthesis")
    began = time.monotonic()
    log = job.directory / "yosys.log"
    tools["yosys"].run(commands["yosys"], job.directory, log, job.report)
    with rewritten(job.netlist, NAME) as module:
        if job.family.global_reset:
            spread_reset(module)
        for netlist_pass in job.passes:
            said = netlist_pass.rewrite(module, job.board.part)
            job.step(f"{netlist_pass.path.name}: {said}")
    used = count(job.netlist, job.family)
    job.step(
        f"synthesised in {time.monotonic() - began:.0f} s: {used.luts} LUTs, "
        f"{used.flip_flops} flip-flops, {used.block_rams} block RAMs, "
        f"{used.multipliers} multipliers"
    )
    return used


def misfit(job: Build, used: Utilisation) -> str:
    """Return why the netlist must not be placed; empty if it may be."""
    declared = memories((job.directory / f"{NAME}.il").read_text())
    try:
        check_fit(used, job.board)
        check_memories(job.report.read_text(), declared, job.family)
        check_multipliers(used, job.engine)
    except FitError as error:
        return str(error)
    return ""
