# SPDX-License-Identifier: BSD-2-Clause

"""The options of a waveform: what the device gets, and what is refused."""

import inspect
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dualgate.cli.tracing import device_options, waveform_options
from dualgate.contract.errors import InputError
from dualgate_sim.rtl.device import SimDevice


def read(*arguments: str) -> dict[str, str]:
    """What a command with these options passes to the device `sim`."""
    found: dict[str, str] = {}

    @click.command()
    @waveform_options
    def command(trace: Path | None, trace_scope: str | None, trace_batches: str | None) -> None:
        found.update(device_options("sim", trace, trace_scope, trace_batches))

    CliRunner().invoke(command, arguments, catch_exceptions=False)
    return found


def test_only_what_is_given_goes_to_the_device() -> None:
    assert read() == {}
    assert read("--trace", "wave.fst") == {"trace": "wave.fst"}


def test_the_device_has_an_option_for_each() -> None:
    found = read("--trace", "w.fst", "--trace-scope", "core_0.error", "--trace-batches", "2-4")
    assert found == {"trace": "w.fst", "trace_scope": "core_0.error", "trace_batches": "2-4"}
    assert set(found) <= set(inspect.signature(SimDevice).parameters)


@pytest.mark.parametrize(
    ("device", "arguments", "message"),
    [
        ("golden", (Path("w.fst"), None, None), "--trace: the golden model has no waveform; use"),
        ("sim", (None, "core_0", None), "--trace-scope: give --trace FILE, too"),
        ("sim", (None, "a", "2"), "--trace-scope, --trace-batches: give --trace FILE, too"),
        ("sim", (Path("/dev"), None, None), "cannot write /dev: it is not a file"),
    ],
)
def test_what_makes_no_waveform_is_refused(
    device: str, arguments: tuple[Path | None, str | None, str | None], message: str
) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        device_options(device, *arguments)
