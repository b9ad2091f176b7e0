# SPDX-License-Identifier: BSD-2-Clause

"""A build: from board and parameters to netlist, placements and bitstream.

Amaranth writes the plan, that is sources, constraints and commands; the commands are run here, with
tools from Python packages. A build with the same hash as an earlier one is taken from the cache.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from dualgate.data.files import replace_file

from .cache import Cache
from .job import Build, Commands, Tools
from .pack import pack
from .place import place, too_slow
from .result import RESULT, Result
from .sources import write_sources
from .synthesis import misfit, synthesise
from .tool_warnings import read_warnings, unexplained
from .tools import find


def run(job: Build) -> Result:
    """Build, or take an earlier build from the cache; `Result.problem` says whether it failed.

    Parameters
    ----------
    job : Build

    Raises
    ------
    MissingToolError
        When a tool is not installed.
    InputError
        When the directory cannot be written to.
    DeviceError
        When a tool fails.
    """
    tools = {name: find(name) for name in job.family.tools}
    identity = job.identity(tools)
    cache = Cache(identity.hex(), job.seeds)
    job.begin()
    # A netlist pass may import files that are not in the hash.
    if not job.passes and cache.restore(job.directory, RESULT):
        job.step(f"built before, taken from {cache.path}")
        return Result.from_json((job.directory / RESULT).read_bytes())
    result = _build(job, tools, identity)
    replace_file(job.directory / RESULT, result.to_json().encode())
    if not (result.problem or job.passes):
        cache.keep(job.products())
    return result


def _build(job: Build, tools: Tools, identity: bytes) -> Result:
    commands = write_sources(job, identity)
    used = synthesise(job, tools, commands)
    result = Result(
        board=job.board.name,
        engine=job.engine,
        identity=identity.hex(),
        utilisation=used,
        timing=(),
        clock_mhz=job.board.clock.mhz,
        bitstream_sha256="",
        problem=misfit(job, used) or show_warnings(job, [job.report]),
    )
    if result.problem or job.board.part_only:
        return result
    return _implement(job, tools, commands, result)


def _implement(job: Build, tools: Tools, commands: Commands, synthesised: Result) -> Result:
    timing = place(job, tools, commands)
    digest = pack(job, tools, commands, timing)
    logs = [*(job.placement_log(seed) for seed in job.seeds), job.pack_log]
    problem = show_warnings(job, logs) or too_slow(job, timing)
    return replace(synthesised, timing=timing, bitstream_sha256=digest, problem=problem)


def show_warnings(job: Build, logs: Iterable[Path]) -> str:
    """Say each kind of warning in logs; return why they fail the build, empty if they do not."""
    warnings = read_warnings(logs)
    for each in warnings:
        job.step(f"{each}; harmless: {each.reason}" if each.reason else str(each))
    return unexplained(warnings)
