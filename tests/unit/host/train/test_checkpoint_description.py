# SPDX-License-Identifier: BSD-2-Clause

"""Descriptions of checkpoints: whatever they say is checked before a device is used."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples
from support.odd_json import changed
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.errors import CheckpointError, DualgateError, InputError
from dualgate.train.checkpoint import Checkpoint, load_checkpoint
from dualgate.train.checkpoint_description import parse_description
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer


def trainer_of(recipe: Recipe, start: Checkpoint | None = None) -> Trainer:
    network = NETWORK if start is None else start.network
    return Trainer(network, recipe, blobs(), blobs(20, 1), start)


def left(recipe: Recipe) -> Checkpoint:
    """The checkpoint after two epochs and two batches."""
    trainer = trainer_of(recipe)
    found: list[Checkpoint] = []
    with golden() as device:

        def note(done: int) -> None:
            if (trainer.epoch, trainer.batch) == (2, 2):
                found.append(trainer.checkpoint(device))

        list(trainer.run(device, note))
    return found[0]


STATES = {
    "momentum": left(replace(RECIPE, patience=5, class_weights=(1.0, 2.0, 0.5))),
    "adam": left(Recipe(3, 16, 0.02, optimiser="adam", seed=1, l2=0.001)),
}


def written(path: Path, state: Checkpoint, about: Any) -> Path:
    """A checkpoint with another description."""
    text = about if isinstance(about, str) else json.dumps(about)
    np.savez(path / "x.npz", allow_pickle=False, about=np.array(text), **state.contents()[1])
    return path / "x.npz"


def described(state: Checkpoint) -> Any:
    return json.loads(state.contents()[0].text())


def with_value(about: Any, place: str, value: Any) -> Any:
    *path, last = place.split(".")
    holder = about
    for key in path:
        holder = holder[int(key)] if isinstance(holder, list) else holder[key]
    holder[int(last) if isinstance(holder, list) else last] = value
    return about


INFINITY = float("inf")
WRONG: tuple[tuple[str, Any, str], ...] = (
    ("batch", -1, "damaged"),
    ("batch", 1.0, "damaged"),
    ("batch", True, "damaged"),
    ("batch", 0, "a tally of an epoch that has not begun"),
    ("epoch", 10**9, "past epoch 1000000000, the last being 3"),
    ("epoch", 3, "2 batches past epoch 3, the last being 3"),
    ("epoch", 1, "records are not those of 1 finished epochs"),
    ("epoch", "2", "damaged"),
    ("batches", 1, "its optimiser has made 1 steps"),
    ("update_frac", 10**9, "learning rate is too small or too large"),
    ("update_frac", 15.0, "damaged"),
    ("data", -1, "damaged"),
    ("data", 1 << 32, "damaged"),
    ("best", [3, 0.5], "a best state of epoch 3, which there was not"),
    ("best", [1, INFINITY], "damaged"),
    ("best", [1, "x"], "damaged"),
    ("best", [1], "damaged"),
    ("best", None, "early stopping, but no best state"),
    ("records", [], "records are not those of 2 finished epochs"),
    ("records.0.epoch", 2, "records are not those of 2 finished epochs"),
    ("records.0.loss", INFINITY, "damaged"),
    ("records.0.loss", float("nan"), "damaged"),
    ("records.1.accuracy", 1.5, "damaged"),
    ("records.1.samples_per_s", 0, "damaged"),
    ("records.1.samples_per_s", -5, "damaged"),
    ("records.1.cycles_per_sample", "12", "damaged"),
    ("records.1.kept_fraction", -5, "damaged"),
    ("records.1.saturations", 0.5, "damaged"),
    ("tally.loss", INFINITY, "damaged"),
    ("tally.right", -5, "damaged"),
    ("tally.seconds", -5, "damaged"),
    ("tally.seconds", "5", "damaged"),
    ("tally.counters.kept", 10**12, "its tally counts more than the whole run"),
    ("counters.cycles", -5, "damaged"),
    ("counters.kept", "5", "damaged"),
    ("counters.kept", INFINITY, "damaged"),
    ("counters.saturated_values", 1 << 63, "damaged"),
    ("counters.more", 1, "other fields than those of version 3"),
    ("recipe.seed", 1.5, "damaged"),
    ("recipe.momentum", "0.9", "damaged"),
    ("recipe.momentum", 1, "momentum 1.0: give a number from 0 to below 1"),
    ("recipe.prune", 2.5, "damaged"),
    ("recipe.prune", 99, "prune 99: give 1 to 14, or 15 for off"),
    ("recipe.shift", 0.5, "damaged"),
    ("recipe.shift", -1, "damaged"),
    ("recipe.optimiser", "best", "unknown optimiser 'best'"),
    ("recipe.schedule", "exponential:x", "schedule 'exponential:x': give"),
    ("network.sizes", "483", "damaged"),
    ("network.sizes", [6, 8.7, 5, 3], "damaged"),
    ("network.sizes", [6, 8, 5, 1 << 40], "weights have shapes"),
    ("network.frozen", [0.0], "damaged"),
    ("version", "2", "damaged"),
    ("version", 4, "version 4, not 3"),
)


@pytest.mark.parametrize(("place", "value", "message"), WRONG)
def test_a_value_that_no_run_writes_is_refused(
    tmp_path: Path, place: str, value: Any, message: str
) -> None:
    state = STATES["adam" if place == "batches" else "momentum"]
    path = written(tmp_path, state, with_value(described(state), place, value))
    with pytest.raises(CheckpointError, match=message) as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", STATES)
def test_what_was_written_is_read_and_trains_on(tmp_path: Path, name: str) -> None:
    state = STATES[name]
    assert parse_description(state.contents()[0].text()) == state.contents()[0]
    state.save(tmp_path / "x.npz")
    again = load_checkpoint(tmp_path / "x.npz")
    assert again.contents()[0] == state.contents()[0]
    with golden() as device:
        assert [r.epoch for r in trainer_of(again.recipe, again).run(device)] == [3]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        '{"version": 3, "note": ' + "[" * 20_000,
        '{"version": ' + "1" * 5000 + "}",
        '{"version": 3, "epoch": 1e999}',
        '{"version": 3, "\ud800": 1}',
        "",
        "\0",
        "nonsense",
        "[]",
        "{}",
        "null",
    ],
)
def test_a_text_that_is_no_description_is_one_line(text: str) -> None:
    with pytest.raises(CheckpointError, match=r"^its description is damaged: [^\n]{1,200}$"):
        parse_description(text)


def test_a_place_that_the_data_do_not_have_is_refused() -> None:
    state = STATES["momentum"]
    for change, message in (
        ({"batch": 5}, "^the checkpoint is of another run: it is 5 batches into an epoch, which"),
        ({"batch": -1}, "^the checkpoint is of another run: it is -1 batches into an epoch"),
        ({"tally": replace(state.tally, right=27)}, "of 26 samples it predicted 27 correctly$"),
        ({"recipe": replace(state.recipe, epochs=2)}, "^the checkpoint has begun 3 epochs; ask"),
    ):
        start = replace(state, **change)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=message):
            trainer_of(start.recipe, start)


def test_slots_that_no_optimiser_leaves_are_refused(tmp_path: Path) -> None:
    state = STATES["adam"]
    for place, value in (
        ("slot0.0", INFINITY),
        ("slot0.0", float("nan")),
        ("slot2.1", -INFINITY),
        ("slot2.1", -1e-9),
    ):
        about, arrays = state.contents()
        array = arrays[place].copy()
        array[-1, -1] = value
        path = tmp_path / "x.npz"
        np.savez(path, allow_pickle=False, about=about.text(), **{**arrays, place: array})
        with pytest.raises(CheckpointError, match=rf"{place} holds numbers that adam cannot"):
            load_checkpoint(path)


@examples(600)
@given(st.sampled_from(list(STATES)), st.data())
def test_any_json_is_refused_in_a_line_or_trains_on(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    state = STATES[name]
    about = changed(described(state), data)
    path = written(tmp_path_factory.getbasetemp(), state, about)
    try:
        loaded = load_checkpoint(path)
        # What is accepted is what the file says, not something made of it.
        assert described(loaded) == about
        trainer = trainer_of(loaded.recipe, loaded)
    except DualgateError as error:
        line = str(error)
    else:
        line = ""
    assert line.isprintable()
    if line:
        return
    with golden() as device:
        for record in trainer.run(device):
            assert record.epoch == loaded.epoch + 1
            trainer.checkpoint(device).save(path)
            break
    assert load_checkpoint(path).epoch == loaded.epoch + 1
