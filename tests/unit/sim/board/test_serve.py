# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate serve` as a user runs it, and `dualgate doctor --device` beside it."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from dualgate.cli import main
from dualgate.train.checkpoint import load_checkpoint

pytestmark = pytest.mark.slow

SERVE = """
import sys
from dualgate.contract.engine import EngineParameters
from dualgate_sim.board import serve
# A smaller engine compiles sooner.
serve.EngineParameters = lambda neurons: EngineParameters(neurons, inputs=256, activations=64)
serve.serve(sys.argv[1:])
"""


class Process:
    """A server; its port is read from what it prints."""

    def __init__(self, *args: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE, "--neurons", "4", *args],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.port = self._process.stdout.readline().strip()

    def interrupt(self) -> str:
        """Stop it as a user does; returns what it prints at its end."""
        self._process.send_signal(signal.SIGINT)
        return self._process.communicate(timeout=60)[0]


@pytest.fixture(scope="module")
def noisy() -> Iterator[Process]:
    process = Process("--error-rate", "0.0003", "--drop-rate", "0.0003")
    yield process
    last = process.interrupt()
    corrupted, lost = re.search(r"; (\S+) corrupted and (\S+) lost$", last.strip()).groups()  # type: ignore[union-attr]
    assert int(corrupted.replace(",", "")) > 0
    assert int(lost.replace(",", "")) > 0


def test_train_over_a_served_port_is_bit_identical(noisy: Process, tmp_path: Path) -> None:
    options = ("--layers", "64,8,10", "--epochs", "1", "--batch", "256")
    files = []
    for number, device in enumerate((f"serial:{noisy.port}", "golden?neurons=4")):
        out = tmp_path / str(number)
        result = CliRunner().invoke(
            main, ["train", "digits", "--device", device, *options, "--out", str(out)]
        )
        assert result.exit_code == 0, result.stderr
        files.append(load_checkpoint(out / "checkpoint.npz"))
    for one, other in zip(files[0].weights, files[1].weights, strict=True):
        assert one.tolist() == other.tolist()


def test_doctor_reports_how_the_link_does(noisy: Process, tmp_path: Path) -> None:
    file = tmp_path / "link.json"
    device = f"serial:{noisy.port}"
    result = CliRunner().invoke(main, ["doctor", "--device", device, "--json", str(file)])
    assert result.exit_code == 0, result.stderr
    rows = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert rows["neurons"] == "4"
    assert rows["port"] == noisy.port
    for name in ("frames", "bytes", "retries", "CRC", "round", "rate"):
        assert name in rows
    figures = json.loads(file.read_text())
    assert figures["device"] == device
    assert figures["health"]["frames_sent"] > 20
    assert figures["round_trip_s"] > 0


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
