# SPDX-License-Identifier: BSD-2-Clause

"""Runs that are left after any batch, or killed at any moment, and taken up again."""

import json
import random
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.cli import main
from dualgate.contract.errors import InputError
from dualgate.train.checkpoint import Checkpoint, load_checkpoint
from dualgate.train.recipe import Recipe
from dualgate.train.record import Record
from dualgate.train.trainer import Trainer

RECIPES = {
    "momentum": replace(RECIPE, schedule="exponential:0.7", shift=0),
    "adam": Recipe(3, 16, 0.02, optimiser="adam", seed=1, l2=0.001),
    "adadelta": Recipe(3, 16, 1.0, optimiser="adadelta", seed=1, class_weights=(1, 2, 3)),
    "dropout": replace(RECIPE, dropout=0.25),
    "dropout of adam": Recipe(3, 16, 0.02, optimiser="adam", seed=1, dropout=0.5),
    "early": Recipe(30, 16, 0.8, momentum=0.9, seed=1, patience=2),
}


class Left(Exception):  # noqa: N818
    """Ends a run in the middle of an epoch."""


def timeless(records: list[Record]) -> list[Record]:
    return [replace(record, samples_per_s=0.0) for record in records]


def trainer_of(recipe: Recipe, start: Checkpoint | None = None) -> Trainer:
    return Trainer(NETWORK, recipe, blobs(), blobs(20, 1), start)


def left_after(recipe: Recipe, batches: int, path: Path) -> Checkpoint:
    """A checkpoint after a number of batches, written and read."""
    trainer = trainer_of(recipe)
    with golden() as device:

        def leave(done: int) -> None:
            if trainer.epoch * trainer.batches + trainer.batch == batches:
                trainer.checkpoint(device).save(path)
                raise Left

        with pytest.raises(Left):
            list(trainer.run(device, leave))
    return load_checkpoint(path)


@pytest.mark.parametrize("name", RECIPES)
def test_a_run_left_after_any_batch_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    recipe = RECIPES[name]
    whole = trainer_of(recipe)
    with golden() as device:
        list(whole.run(device))
        weights = device.read_weights()
        evaluation = whole.evaluate(device)
    done = len(whole.records) * whole.batches
    for batches in range(1, done + 1, max(1, done // 9)):
        start = left_after(recipe, batches, tmp_path / "x.npz")
        rest = trainer_of(recipe, start)
        with golden() as device:
            list(rest.run(device))
            assert all((a == b).all() for a, b in zip(device.read_weights(), weights, strict=True))
            assert rest.evaluate(device) == evaluation
        assert timeless(rest.records) == timeless(whole.records)
        assert rest.counters == whole.counters


def test_a_run_that_has_ended_has_nothing_left_to_do(tmp_path: Path) -> None:
    for name in ("momentum", "early"):
        trainer = trainer_of(RECIPES[name])
        with golden() as device:
            list(trainer.run(device))
            weights = device.read_weights()
            trainer.checkpoint(device).save(tmp_path / "x.npz")
        again = trainer_of(RECIPES[name], load_checkpoint(tmp_path / "x.npz"))
        with golden() as device:
            assert list(again.run(device)) == []
            assert all((a == b).all() for a, b in zip(device.read_weights(), weights, strict=True))
        assert again.records == trainer.records


def test_more_epochs_may_be_asked_for_and_nothing_else(tmp_path: Path) -> None:
    recipe = RECIPES["adam"]
    start = left_after(recipe, 6, tmp_path / "x.npz")
    assert trainer_of(replace(recipe, epochs=9), start).epoch == 1
    for change, message in (
        ({"lr": 0.03}, "its lr is 0.02, here 0.03"),
        ({"optimiser": "rmsprop"}, "its optimiser is adam, here rmsprop"),
        ({"prune": 3}, "its prune is off, here 1/8"),
        ({"batch": 10}, "its batch is 16, here 10"),
        ({"dropout": 0.5}, "its dropout is 0.0, here 0.5"),
    ):
        with pytest.raises(InputError, match=f"^the checkpoint is of another run: {message}"):
            trainer_of(replace(recipe, **change), start)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^the checkpoint is of another run: it has other train"):
        Trainer(NETWORK, recipe, blobs(51), start=start)


EPOCHS = 12
"""So many that a fast machine is not done with them before the last kill."""

COMMAND = ("train", "digits", "--device", "golden", "--layers", "64,8,10", "--epochs", str(EPOCHS))
OPTIONS = {
    "momentum": ("--batch", "8"),
    "adam": ("--batch", "16", "--optimiser", "adam", "--lr", "0.01", "--prune", "off"),
}


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


@pytest.mark.parametrize("name", OPTIONS)
def test_a_killed_command_resumes_to_the_same_weights(name: str, tmp_path: Path) -> None:
    """SIGKILL at random moments, over and over, until the run gets to its end."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert run(*COMMAND, *OPTIONS[name], "--out", str(whole)).exit_code == 0
    chance = random.Random(name)
    command = [sys.executable, "-c", "from dualgate.cli import main; main()", *COMMAND]
    command += [*OPTIONS[name], "--out", str(killed), "--checkpoint-every", "3"]
    kills, file = 0, killed / "checkpoint.npz"
    while kills < 3:
        begun = file.stat().st_mtime_ns if file.exists() else 0
        resume = ["--resume"] if begun else []
        host = subprocess.Popen([*command, *resume], stdout=subprocess.DEVNULL)
        while host.poll() is None:
            if file.exists() and file.stat().st_mtime_ns != begun:
                break
            time.sleep(0.005)
        time.sleep(chance.uniform(0, 0.2))
        host.kill()
        host.wait()
        kills += 1
    middle = load_checkpoint(file)
    assert middle.epoch < EPOCHS
    result = run(*COMMAND, "--out", str(killed), "--resume")
    assert result.exit_code == 0, result.stderr
    for ours, theirs in (
        (load_checkpoint(killed / "checkpoint.npz"), load_checkpoint(whole / "checkpoint.npz")),
    ):
        assert timeless(list(ours.records)) == timeless(list(theirs.records))
        arrays = zip(ours.weights + ours.velocity, theirs.weights + theirs.velocity, strict=True)
        assert all(np.array_equal(a, b) for a, b in arrays)
        assert ours.counters == theirs.counters
    lines = (killed / "history.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == list(range(1, EPOCHS + 1))
