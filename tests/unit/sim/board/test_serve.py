# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate serve` as a user runs it, and `dualgate doctor --device` beside it."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.processes import background, end

from dualgate.cli import main
from dualgate.link.frame import Frame, Kind
from dualgate.train.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow

SERVE = """
from dualgate.contract.engine import EngineParameters
from dualgate.cli import main
from dualgate_sim.board import serve
# A smaller engine compiles sooner.
serve.EngineParameters = lambda neurons: EngineParameters(neurons, inputs=256, activations=64)
main()
"""


@contextmanager
def served(*args: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server and its port, which it prints."""
    with background("serve", "--neurons", "4", *args, code=SERVE) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def noisy() -> Iterator[str]:
    """The port of a server with a bad line."""
    with served("--error-rate", "0.0003", "--drop-rate", "0.0003") as (process, port):
        yield port
        status, last, error = end(process, signal.SIGINT)
    assert (status, error.splitlines()[-1]) == (130, "error: interrupted")
    corrupted, lost = re.search(r"; (\S+) corrupted and (\S+) lost$", last.strip()).groups()  # type: ignore[union-attr]
    assert int(corrupted.replace(",", "")) > 0
    assert int(lost.replace(",", "")) > 0


def test_train_over_a_served_port_is_bit_identical(noisy: str, tmp_path: Path) -> None:
    options = ("--layers", "64,8,10", "--epochs", "1", "--batch", "256")
    files = []
    for number, device in enumerate((f"serial:{noisy}", "golden?neurons=4")):
        out = tmp_path / str(number)
        result = CliRunner().invoke(
            main, ["train", "digits", "--device", device, *options, "--out", str(out)]
        )
        assert result.exit_code == 0, result.stderr
        files.append(load_checkpoint(out / "checkpoint.npz"))
    for one, other in zip(files[0].weights, files[1].weights, strict=True):
        assert one.tolist() == other.tolist()


def test_doctor_reports_how_the_link_does(noisy: str, tmp_path: Path) -> None:
    file = tmp_path / "link.json"
    device = f"serial:{noisy}"
    result = CliRunner().invoke(main, ["doctor", "--device", device, "--json", str(file)])
    assert result.exit_code == 0, result.stderr
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["neurons"] == "4"
    assert rows["port"] == noisy
    for name in ("frames", "bytes", "retries", "CRC", "round", "rate"):
        assert name in rows
    figures = json.loads(file.read_text())
    assert figures["device"] == device
    assert figures["health"]["frames_sent"] > 20
    assert figures["round_trip_s"] > 0


def test_sigterm_ends_a_server_too() -> None:
    with served() as (process, _):
        status, last, error = end(process, signal.SIGTERM)
    assert (status, error.splitlines()[-1]) == (143, "error: interrupted")
    assert last == "0 bytes in and 0 out; 0 corrupted and 0 lost\n"


def test_a_host_that_never_reads_does_not_keep_the_next_one_out() -> None:
    with served() as (_, port):
        device = f"serial:{port}"
        flood = Frame(Kind.HELLO, 1, 11).encode() + Frame(Kind.POLL, 2, 11).encode() * 50_000
        with open(os.open(port, os.O_RDWR | os.O_NOCTTY), "wb", buffering=0) as host:
            assert host.write(flood) == len(flood)
        assert CliRunner().invoke(main, ["doctor", "--device", device]).exit_code == 0


def test_doctor_refuses_a_device_without_a_link() -> None:
    result = CliRunner().invoke(main, ["doctor", "--device", "golden"])
    assert result.exit_code == 2
    assert "golden has no link; give serial:... or pcie:..." in result.stderr


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--error-rate", "2"], "error rate 2.0: give a share of bytes"),
        (["--drop-rate", "-1"], "drop rate -1.0: give a share of bytes"),
        (["--neurons", "3"], "3 neurons: give a power of two"),
        (["--baud", "1e8"], "1e\\+08 baud from 2.5e\\+07 Hz"),
    ],
)
def test_options_that_make_no_board_are_refused_before_compilation(
    option: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_build(*_: object) -> Path:
        raise AssertionError("compiled")

    monkeypatch.setattr("dualgate_sim.board.serve.build_board", no_build)
    result = CliRunner().invoke(main, ["serve", *option])
    assert result.exit_code == 2
    assert re.search(message, result.stderr)
