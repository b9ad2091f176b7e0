# SPDX-License-Identifier: BSD-2-Clause

"""The options of a waveform, and the options of a device that follow from them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import cloup

from ..contract.errors import InputError
from ..data.files import check_target

Command = TypeVar("Command", bound=Callable[..., Any])

_OPTIONS = cloup.option_group(
    "Waveform",
    cloup.option(
        "--trace",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Write a waveform of the first batch: .fst, or .vcd, which is ten times larger. Views "
        "for GTKWave (.gtkw) and Surfer (.sucl) are written beside it. Only for --device sim.",
    ),
    cloup.option(
        "--trace-scope",
        metavar="PART",
        help="Record only this part of the engine, such as core_0.tangent; if it does not "
        "exist, the command ends and lists the parts.",
    ),
    cloup.option(
        "--trace-batches",
        metavar="N|A-B",
        help="Record the first N batches, or those from A to B, counted from 1.  [default: 1]",
    ),
)


def waveform_options(command: Command) -> Command:
    """Give a command the options ``--trace``, ``--trace-scope`` and ``--trace-batches``."""
    return _OPTIONS(command)


def device_options(
    device: str, trace: Path | None, scope: str | None, batches: str | None
) -> dict[str, str]:
    """Return the options of `open_device` for a waveform.

    Parameters
    ----------
    device : str
        As in `open_device`.
    trace : Path or None
    scope, batches : str or None

    Raises
    ------
    InputError
        For a waveform of the golden model, for a file that cannot be written, and for a part or
        batches without a waveform.
    """
    chosen = {"trace_scope": scope, "trace_batches": batches}
    given = {name: value for name, value in chosen.items() if value is not None}
    if trace is None:
        if given:
            names = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise InputError(f"{names}: give --trace FILE, too")
        return {}
    if device.partition("?")[0] == "golden":
        raise InputError("--trace: the golden model has no waveform; use --device sim")
    check_target(trace)
    return {"trace": str(trace), **given}
