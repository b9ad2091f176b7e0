# SPDX-License-Identifier: BSD-2-Clause

"""Sources, constraints and commands of a build, as Amaranth plans them."""

import json

from amaranth.back import rtlil
from amaranth.lib import wiring

from ..boards.top import BoardTop
from .job import NAME, Build, Commands
from .yosys_script import after_read, synthesis


def write_sources(job: Build, identity: bytes) -> Commands:
    """Write all that the tools read, and return their commands.

    Parameters
    ----------
    job : Build
    identity : bytes (32,)
        Hash that the device states.
    """
    job.step("writing sources")
    if job.board.part_only is not None:
        return _write_part(job, job.board.part_only(job.board, job.engine, identity))
    plan = job.board.make_platform().prepare(
        BoardTop(job.board, job.engine, identity),
        NAME,
        emit_src=False,
        script_after_read=after_read(job.family),
        synth_opts=job.family.synthesis,
        nextpnr_opts="",
    )
    plan.extract(str(job.directory))
    script = json.loads((job.directory / f"build_{NAME}.json").read_text())
    return {command[0]: command[1:] for command in script["commands"]}


def _write_part(job: Build, part: wiring.Component) -> Commands:
    """Write a component that is only synthesised, with streams in place of pins."""
    source = rtlil.convert(part, name=NAME, emit_src=False)
    (job.directory / f"{NAME}.il").write_text(source)
    (job.directory / f"{NAME}.ys").write_text(synthesis(NAME, job.board.family))
    return {"yosys": ["-q", "-l", job.report.name, f"{NAME}.ys"]}
