# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate doctor`: the tools found, how to get the missing ones, and the state of a link."""

from dataclasses import asdict
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import click
from rich.console import Console
from rich.markup import escape

from ..contract.errors import InputError, MissingToolError, NoAnswerError
from ..data.json_text import write_json
from ..devices import open_device
from ..link.health import Linked
from ..link.measure import Rates, measure
from . import printable
from .tools import Finding, examine

NOT_FOUND = "missing"


def _millis(seconds: float | None) -> str:
    return "not measured" if seconds is None else f"{seconds * 1000:.2f} ms"


def link_rows(rates: Rates) -> dict[str, str]:
    """Make the report on a link: for each row, its name and its text."""
    health = rates.health
    return {
        "frames": f"{health.frames_sent:,} sent, {health.frames_received:,} received",
        "bytes": f"{health.bytes_sent:,} sent, {health.bytes_received:,} received",
        "retries": f"{health.retries:,}",
        "CRC errors": f"{health.crc_errors:,}",
        "reconnects": f"{health.reconnects:,}",
        "round trip": f"{_millis(rates.round_trip_s)} a command, "
        f"{_millis(health.round_trip_s)} a frame",
        "rate": f"{rates.to_device / 1000:,.1f} kB/s to the board, "
        f"{rates.from_device / 1000:,.1f} kB/s from it",
    }


def examine_link(spec: str, path: Path | None) -> None:
    """Open a device, measure its link, print a report and write the figures to `path` as JSON."""
    try:
        opened = open_device(spec)
    except NoAnswerError as error:
        raise _with_rate(spec, error) from None
    with opened as device:
        if not isinstance(device, Linked):
            raise InputError(f"device {spec} has no link; give serial:... or pcie:...")
        about = device.about()
        rates = measure(device)
    if path is not None:
        figures = {"device": spec, "about": about, **asdict(rates)}
        write_json(path, figures)
    for name, value in {**about, **link_rows(rates)}.items():
        click.echo(f"{name:16}{value}")


def _with_rate(spec: str, error: NoAnswerError) -> NoAnswerError:
    """Add to an error the rate at which the board answers, after trying the usual ones."""
    # Here, because pyserial takes long to import.
    from ..devices.rates import RATES, find_rate
    from ..devices.serial import BAUD

    path, _, query = spec.partition("?")
    told = int(dict(parse_qsl(query)).get("baud", BAUD))
    click.echo(
        f"no board answers at {told:,} baud; trying other rates, half a minute at most", err=True
    )
    with Console(stderr=True).status("") as status:
        rate = find_rate(path.partition(":")[2], told, lambda line: status.update(escape(line)))
    if rate is None:
        rates = ", ".join(f"{each:,}" for each in RATES if each != told)
        return NoAnswerError(f"{error}; nothing answers at {rates} baud, either")
    options = {**dict(parse_qsl(query)), "baud": str(rate)}
    better = f"{path}?{urlencode(options)}"
    return NoAnswerError(
        f"no board answers at {told:,} baud, but one does at {rate:,}: use --device '{better}'"
    )


@click.command()
@click.option("--device", metavar="DEVICE", help="Report on the link to DEVICE instead.")
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report to FILE, as JSON.",
)
def doctor(device: str | None, path: Path | None) -> None:
    """List the tools found, and how to get the missing ones; then the directories.

    Ends with status 0 if everything is there that `train` needs on the simulated hardware,
    otherwise 2.

    With --device, connect to a board and report on its link: frames, retries, CRC errors, round
    trip and rate. If no board answers on a serial port, try other rates.
    """
    if device is not None:
        examine_link(device, path)
    else:
        examine_tools(path)


def examine_tools(path: Path | None) -> None:
    """Print the table of tools, and write it to `path` as JSON."""
    with Console(stderr=True).status("looking for tools") as status:
        findings = []
        for found in examine():
            findings.append(found)
            status.update(f"looking for tools: {found.tool}")
    if path is not None:
        write_json(path, findings)
    click.echo(f"{'tool':32}{'version':28}{'needed for':16}how to get it")
    for found in findings:
        click.echo(_row(found))
    lacking = [found.tool for found in findings if found.required and found.version is None]
    if lacking:
        raise MissingToolError(
            f"training on the simulated RTL lacks {', '.join(lacking)}; see the table"
        )


def _row(found: Finding) -> str:
    """Make a row of the table; the remark on a directory takes the width of all columns."""
    if found.version is None:
        return f"{found.tool:32}{NOT_FOUND:28}{found.purpose:16}{printable(found.remedy)}"
    shown = printable(found.version)
    short = len(shown) < 28
    return f"{found.tool:32}{shown:28}{found.purpose}" if short else f"{found.tool:32}{shown}"
