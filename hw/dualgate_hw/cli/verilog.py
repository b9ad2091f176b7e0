# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate verilog`: the engine as plain Verilog, for a design and tools of the user's own."""

import re
from collections.abc import Callable
from dataclasses import fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from amaranth import Shape
from amaranth.lib import wiring

from dualgate.contract.commands import PROTOCOL
from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.errors import FitError, InputError
from dualgate.contract.network import Network, parse_sizes
from dualgate.data.files import check_target, replace_file

from ..common.verilog import PLAIN, to_verilog
from ..engines import make_engine
from ..identity import build_identity

MOST_MULTIPLIERS = 4096
"""Sources of larger engines take hours to write."""

LINT = (
    "ALWNEVER",
    "ASCRANGE",
    "CASEINCOMPLETE",
    "DECLFILENAME",
    "PROCASSINIT",
    "UNDRIVEN",
    "UNUSEDSIGNAL",
    "VARHIDDEN",
    "WIDTHEXPAND",
    "WIDTHTRUNC",
)
"""Verilator's remarks on style, which do not matter in generated text."""

MEANINGS = {
    "neurons": "N, the number of lanes, a power of two.",
    "tangent_lanes": "K, the tangents that a neuron processes in parallel.",
    "cores": "C, the number of cores.",
    "arrays": "MAC arrays of a core: 3, or 1 that all lanes share.",
    "apply_lanes": "Neurons whose weights are updated in parallel at the end of a batch.",
    "layers": "Number of layers that a network can have.",
    "rows": "Depth of the weight memory, in rows of N weights.",
    "inputs": "Entries of the input list; a network needs one more than its inputs.",
    "activations": "Entries of the list of hidden values.",
    "vectors": "Depth of the memory of slopes, in words of N.",
    "groups": "Largest number of groups of N units in one layer.",
}
"""Help for each parameter of the engine that is an option of its own."""

HEADER = """\
// The training engine of dualgate {release}: {kind}, {neurons} neurons, {multipliers} multipliers.
//
// Parameters: {parameters}
// Identity:   {identity} (hash of sources and parameters); command protocol {protocol}
//
// Ports of module {name}:
//
{ports}
//
// A word has 32 bits. A transfer takes place at a rising edge of clk where valid and ready are
// high; until then the sender of a stream holds valid and payload. Commands enter at
// command__*{beat}.
// Each gets one response at response__*, in the order of the commands. Both are a header and a
// payload of words. The header has the number of words in bits 31 to 16, the status of a response
// in bits 15 to 8, and the operation in bits 7 to 0. A word of zero in place of a header is
// skipped. The commands are specified in docs/reference/protocol.md of dualgate.
//
// The text is generated: change the Amaranth sources, or the options of dualgate verilog, instead.
// SPDX-License-Identifier: BSD-2-Clause
"""


def ports(engine: wiring.Component) -> list[tuple[str, str, int]]:
    """List the ports of an engine's Verilog: direction, name and bits; clock and reset first."""
    found = [("input", "clk", 1), ("input", "rst", 1)]
    for path, member, _ in engine.signature.flatten(engine):
        direction = "input" if member.flow is wiring.In else "output"
        bits = Shape.cast(member.shape).width
        found.append((direction, "__".join(map(str, path)), bits))
    return found


def header(engine: wiring.Component, parameters: EngineParameters, name: str) -> str:
    """Return the comment that a reader of the file needs: what it is, and how to talk to it."""
    notes = {
        "clk": "clock of everything",
        "rst": "synchronous reset, active high; memories keep their contents",
    }
    lines = [
        f"//   {direction:6} {f'[{bits - 1}:0]' if bits > 1 else '':7} {port}"
        + (f"  {notes[port]}" if port in notes else "")
        for direction, port, bits in ports(engine)
    ]
    beat = parameters.beat
    several = (
        f", {beat} words at a time with the first in the lowest bits,\n// zeros behind the last,"
    )
    return HEADER.format(
        release=version("dualgate"),
        kind="compact" if parameters.compact else "lanes for each neuron",
        neurons=parameters.neurons,
        multipliers=parameters.multipliers,
        parameters=", ".join(
            f"{field.name} {getattr(parameters, field.name)}" for field in fields(parameters)
        ),
        identity=build_identity(parameters).hex()[:16],
        protocol=PROTOCOL,
        name=name,
        ports="\n".join(lines),
        beat=several if beat > 1 else ", a word at a time",
    )


def text(parameters: EngineParameters, name: str) -> str:
    """Return an engine as Verilog.

    Parameters
    ----------
    parameters : EngineParameters
    name : str
        Name of the top module; those of its parts begin with it.

    Raises
    ------
    InputError
        For a name that is no identifier.
    FitError
        For an engine that is too large.
    MissingToolError
        When the packaged yosys is not installed or fails.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InputError(f"module name {name!r}: give letters, digits and underscores")
    if parameters.multipliers > MOST_MULTIPLIERS:
        raise FitError(
            f"an engine of {parameters.multipliers} multipliers: give one of at most "
            f"{MOST_MULTIPLIERS}"
        )
    engine = make_engine(parameters)
    off, on = (
        "".join(f"/* verilator lint_{word} {warning} */\n" for warning in LINT)
        for word in ("off", "on")
    )
    return header(engine, parameters, name) + off + to_verilog(engine, name, PLAIN) + on


def _engine_options(command: Callable[..., None]) -> Callable[..., None]:
    for name, meaning in reversed(MEANINGS.items()):
        option = click.option(
            f"--{name.replace('_', '-')}",
            type=click.IntRange(1),
            metavar="N",
            help=f"{meaning}  [default: {getattr(EngineParameters(), name)}]",
        )
        command = option(command)
    return command


@click.command()
@_engine_options
@click.option(
    "--compact",
    is_flag=True,
    help="The compact engine, which takes one sample at a time and a fraction of the logic.",
)
@click.option(
    "--network",
    metavar="784,16,10",
    help="Make the memories large enough for this network, in powers of two.",
)
@click.option("--name", default="engine", show_default=True, help="Name of the top module.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File to write.  [default: standard output]",
)
def verilog(compact: bool, network: str | None, name: str, out: Path | None, **sizes: Any) -> None:
    """Write the engine as Verilog, for a design of your own.

    A comment at the top of the file lists ports and parameters and says how to talk to the engine.
    The text is Verilog of 2005 without vendors' cells: synthesis infers memories and multipliers.
    """
    given = {field: size for field, size in sizes.items() if size is not None}
    shape = {"compact": 1, "arrays": 1} if compact else {}
    parameters = replace(EngineParameters(), **{**shape, **given})
    if network is not None:
        wanted = Network(parse_sizes(network))
        least = replace(parameters, **{m: given.get(m, 1) for m in MEMORIES})
        parameters = replace(least.grown(wanted), **given)
        parameters.check(wanted)
    if out is None:
        click.echo(text(parameters, name), nl=False)
        return
    check_target(out)
    replace_file(out, text(parameters, name).encode())
    click.echo(f"{out}: module {name}, {parameters.multipliers} multipliers")
