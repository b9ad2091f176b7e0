# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate train --resume` and files that lie: one line, status 2, no device touched."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dualgate.cli import main
from dualgate.cli.training import run as run_module

COMMAND = ("train", "xor", "--device", "golden", "--epochs", "4", "--out", "run")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a run of four epochs that has ended."""
    path = tmp_path_factory.mktemp("trained") / "run"
    result = CliRunner().invoke(main, (*COMMAND[:-1], str(path)))
    assert result.exit_code == 0, result.stderr
    return path


@pytest.fixture
def here(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(trained, tmp_path / "run")
    monkeypatch.chdir(tmp_path)

    def touched(*args: Any, **options: Any) -> None:
        raise AssertionError("a device was opened")

    monkeypatch.setattr(run_module, "open_device", touched)
    return tmp_path


def resumed(*more: str) -> Result:
    return CliRunner().invoke(main, (*COMMAND, "--resume", *more))


def rewrite(path: Path, text: str) -> None:
    with np.load(path, allow_pickle=False) as arrays:
        content = {**arrays, "about": np.array(text)}
    np.savez(path, allow_pickle=False, **content)


def about(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        return json.loads(str(arrays["about"]))


@pytest.mark.parametrize(
    "change",
    [
        {"batch": -1},
        {"epoch": 1_000_000_000},
        {"epoch": float("inf")},
        {"tally": {"loss": -5}},
        {"tally": "none"},
        {"counters": {"cycles": float("inf")}},
        {"counters": {"kept": -5}},
        {"counters": {"kept": "many"}},
        {"recipe": {"seed": 1.5}},
        {"recipe": {"momentum": "0.9"}},
        {"recipe": {"prune": 2.5}},
        {"recipe": {"shift": 0.5}},
        {"network": {"sizes": "21"}},
        {"network": {"sizes": [2, 8.7, 1]}},
        {"records": [{"epoch": 1, "loss": "low"}]},
        {"records": []},
    ],
)
def test_a_checkpoint_that_lies_is_one_line(here: Path, change: dict[str, Any]) -> None:
    path = here / "run/checkpoint.npz"
    said = about(path)
    for name, value in change.items():
        said[name] = {**said[name], **value} if isinstance(value, dict) else value
    rewrite(path, json.dumps(said))
    refused(resumed("--epochs", "8"), "error: checkpoint run/checkpoint.npz cannot be used: ")


def test_brackets_without_an_end_are_one_line(here: Path) -> None:
    rewrite(here / "run/checkpoint.npz", '{"version": 3, "x": ' + "[" * 20_000)
    refused(resumed(), "error: checkpoint run/checkpoint.npz cannot be used: its description is d")


def test_a_batch_that_the_data_do_not_have_is_one_line(here: Path) -> None:
    said = about(here / "run/checkpoint.npz")
    said |= {"epoch": 3, "records": said["records"][:3], "batch": 2}
    said["tally"] = {**said["tally"], "seconds": 1.0}
    rewrite(here / "run/checkpoint.npz", json.dumps(said))
    refused(resumed(), "error: the checkpoint is of another run: it is 2 batches into an epoch, ")


def test_fewer_epochs_than_are_done_are_one_line(here: Path) -> None:
    refused(resumed("--epochs", "3"), "error: the checkpoint has begun 4 epochs; ask for as many")


def test_a_description_of_the_run_that_lies_is_one_line(here: Path) -> None:
    path = here / "run/run.json"
    said = json.loads(path.read_text())
    for change in ({"seed": -1}, {"seed": 1.5}, {"data": 3}, {"version": 2}):
        path.write_text(json.dumps({**said, **change}))
        refused(resumed(), "error: run/run.json ")


def refused(result: Result, start: str) -> None:
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(start)
    assert result.stderr.count("\n") == 1
    assert len(result.stderr) < 300
