# SPDX-License-Identifier: BSD-2-Clause

"""From a netlist to a placed and routed design for each seed, and whether one is fast enough."""

import time

from .job import NAME, Build, Commands, Tools
from .timing import Timing, read_timing

PLACED = ("config", "asc", "pnr.json")
"""Extensions of the file that holds a placement, by family."""


def place(job: Build, tools: Tools, commands: Commands) -> tuple[Timing, ...]:
    """Run nextpnr with each seed."""
    name = next(tool for tool in tools if tool.startswith("nextpnr"))
    found = []
    for seed in job.seeds:
        job.step(f"placing and routing, seed {seed}")
        began = time.monotonic()
        report = f"report_{seed}.json"
        arguments = [*place_arguments(job, commands[name], seed), "--report", report]
        tools[name].run(arguments, job.directory, job.directory / f"nextpnr_{seed}.log")
        timing = read_timing(job.directory / report, seed)
        found.append(timing)
        job.step(
            f"seed {seed}: {timing.mhz:.1f} MHz in {time.monotonic() - began:.0f} s, "
            f"limited by {timing.path}"
        )
    return tuple(found)


def place_arguments(job: Build, arguments: list[str], seed: int) -> list[str]:
    """Return Amaranth's arguments, with a seed and with names of outputs for this seed."""
    if job.board.family == "gowin":
        # Gowin's place and route has become a part of himbaechel, with options of its own.
        arguments = _renamed(arguments, {"--family": "family", "--cst": "cst"})
    outputs = {f"{NAME}.{end}": f"{NAME}_{seed}.{end}" for end in PLACED}
    outputs[f"{NAME}.tim"] = job.placement_log(seed).name
    return [
        *(outputs.get(argument, argument) for argument in arguments),
        *("--seed", str(seed), "--freq", f"{job.board.clock.mhz:g}", "--timing-allow-fail"),
        *job.family.placement,
    ]


def _renamed(arguments: list[str], options: dict[str, str]) -> list[str]:
    """Write ``--family X`` as ``--vopt family=X``."""
    result: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in options:
            result += ["--vopt", f"{options[argument]}={next(rest)}"]
        else:
            result.append(argument)
    return result


def too_slow(job: Build, timing: tuple[Timing, ...]) -> str:
    """Return why the fastest placement is not fast enough; empty if it is."""
    best = max(timing, key=lambda found: found.mhz)
    if best.mhz >= job.board.clock.mhz:
        return ""
    return (
        f"reaches {best.mhz:.1f} MHz and its clock has {job.board.clock.mhz:g}, limited by "
        f"{best.path}; build with fewer neurons, or try more seeds"
    )
