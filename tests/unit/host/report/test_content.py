# SPDX-License-Identifier: BSD-2-Clause

"""The content of a report: the same numbers as counters, cycle model and evaluation have."""

import json
import shlex
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.cli.train import train as train_command
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import MissingToolError
from dualgate.contract.network import Network
from dualgate.contract.settings import parse_prune
from dualgate.cycles import predict
from dualgate.data import Dataset
from dualgate.devices import Counters
from dualgate.devices.models import find_measure
from dualgate.report import content as content_module
from dualgate.report.content import Content, find_content
from dualgate.report.lanes import find_lanes
from dualgate.report.origin import Origin
from dualgate.report.plain import plain
from dualgate.report.ranges import UPDATES, VELOCITY, WEIGHTS
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.trainer import Trainer

DATA = Dataset(blobs(90), blobs(40, seed=1))


def run(**changes: Any) -> tuple[Checkpoint, Trainer]:
    trainer = Trainer(NETWORK, replace(RECIPE, **changes), DATA.train, DATA.held_out)
    with golden() as device:
        list(trainer.run(device))
        return trainer.checkpoint(device), trainer


@pytest.fixture(scope="module")
def state() -> Checkpoint:
    return run()[0]


@pytest.fixture(scope="module")
def content(state: Checkpoint) -> Content:
    return find_content(state, DATA)


@pytest.mark.parametrize("changes", [{}, {"dropout": 0.3}, {"optimiser": "adam", "momentum": 0}])
def test_the_evaluation_is_that_of_the_run(changes: dict[str, Any]) -> None:
    state, trainer = run(**changes)
    found = find_content(state, DATA)
    assert found.evaluation is not None
    assert found.evaluation.accuracy == trainer.records[-1].held_out_accuracy
    assert found.evaluation.loss == pytest.approx(trainer.records[-1].held_out_loss)
    assert found.inspection is not None


def test_kept_shares_are_those_of_a_training_epoch(state: Checkpoint, content: Content) -> None:
    """One more epoch without steps keeps as many tangents as the report says."""
    assert content.inspection is not None
    (crossing,) = content.inspection.crossings
    with golden() as device:
        device.configure(NETWORK, state.update_frac)
        device.write_weights(state.weights)
        device.set(content_module._settings(state, 90))
        device.train(
            NETWORK.quantize_inputs(DATA.train.x), NETWORK.quantize_targets(DATA.train.target)
        )
        counted = device.counters()
    assert crossing.share() == pytest.approx(counted.kept_fraction)
    assert crossing.nonzero == counted.kept + counted.dropped


def test_lanes_are_as_busy_as_the_cycle_model_says(state: Checkpoint, content: Content) -> None:
    lanes = content.lanes
    assert lanes is not None
    assert lanes.samples == RECIPE.batch
    x, target = content_module._some(state, DATA.train), None
    activity = find_measure()(
        NETWORK,
        state.weights,
        content_module._settings(state, 90),
        x.x[: RECIPE.batch],
        x.target[: RECIPE.batch],
        target,
        state.velocity,
    )
    found = predict(NETWORK, EngineParameters().grown(NETWORK), activity)
    assert lanes.cycles_per_sample == found.cycles_per_sample
    assert lanes.predicted["value"] == found.value / found.cycles
    assert lanes.predicted["tangent"] == (found.sums + found.scaler) / found.cycles
    assert lanes.measured == {}  # the golden model has no clock
    counters = Counters(cycles=1000, value_rows=400, tangent_rows=100, scale_rows=50, update_rows=7)
    measured = find_lanes(NETWORK, EngineParameters(cores=2), activity, counters)
    assert measured is not None
    assert measured.measured == {"value": 0.2, "tangent": 0.075, "update": 0.0035}


def test_a_compact_engine_has_no_lanes(state: Checkpoint) -> None:
    compact = EngineParameters(4, arrays=1, compact=1)
    found = find_content(state, DATA, engine=compact)
    assert found.lanes is None
    assert any("compact" in note for note in found.notes)


def test_every_format_of_every_layer_has_a_range(content: Content) -> None:
    have = {(found.layer, found.what) for found in content.ranges}
    everywhere = {(n, what) for n in range(3) for what in (WEIGHTS, "pre-activations", UPDATES)}
    assert everywhere <= have
    assert {(0, "inputs"), (0, "values"), (2, "outputs"), (2, "targets")} <= have
    assert {(1, "tangents"), (2, "tangents"), (2, VELOCITY)} <= have
    assert (0, "tangents") not in have


def test_ranges_hold_the_numbers_of_the_run(state: Checkpoint, content: Content) -> None:
    for found in content.ranges:
        if found.what == WEIGHTS:
            largest = int(np.abs(state.weights[found.layer]).max())
            assert found.spread.bits == largest.bit_length()
            assert found.spread.total == state.weights[found.layer].size


def test_without_a_golden_model_the_rest_stays(
    state: Checkpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> Any:
        raise MissingToolError("device golden needs dualgate_sim, which is missing")

    monkeypatch.setattr(content_module, "open_device", missing)
    found = find_content(state, DATA)
    assert (found.evaluation, found.inspection, found.lanes) == (None, None, None)
    assert {r.what for r in found.ranges} == {"inputs", WEIGHTS, "targets", VELOCITY}
    assert "dualgate_sim" in found.notes[0]


def test_a_wide_network_is_inspected_in_bounded_memory() -> None:
    wide = Network((4, 3000, 3000, 2), "tanh")
    assert content_module._bounded(wide, 500) == 1
    assert content_module._bounded(NETWORK, 500) == content_module.MOST_INSPECTED


def test_the_figures_for_machines_are_json(content: Content) -> None:
    read = json.loads(json.dumps(plain(content, Origin("wine", "wine.csv"))))
    assert read["epochs"][-1]["epoch"] == RECIPE.epochs
    assert read["crossings"][0]["kept_fraction_at"]["1/4"] == read["crossings"][0]["kept_fraction"]
    assert read["ranges"][0]["numbers"] == "inputs"
    assert read["lanes"]["engine"]["neurons"] == 16


def test_the_command_repeats_the_settings_of_the_run() -> None:
    recipe = replace(
        RECIPE, optimiser="adam", momentum=0.0, l2=1e-4, dropout=0.2, class_weights=(1, 2.5, 1)
    )
    network = Network((6, 8, 5, 3), ("tanh", "relu"), frozen=(1,))
    state = Checkpoint(network, recipe, 12, 3, [], [])
    origin = Origin("wine", "my wine.csv", "golden", options=("--target", "quality"))
    typed = shlex.split(origin.command(state))
    assert typed[:3] == ["dualgate", "train", "my wine.csv"]
    options = [token for token in typed if token.startswith("--") and token != "--target"]
    known = {option for parameter in train_command.params for option in parameter.opts}
    assert set(options) <= known
    given = dict(zip(typed[3::2], typed[4::2], strict=True))
    assert given["--layers"] == "6,8,5,3"
    assert given["--activation"] == "tanh,relu"
    assert given["--freeze"] == "1"
    assert given["--class-weights"] == "1.0,2.5,1.0"
    assert parse_prune(given["--prune"]) == recipe.prune
    assert float(given["--l2"]) == recipe.l2


def test_no_command_is_shown_that_would_train_another_network(state: Checkpoint) -> None:
    coarse = replace(state, network=replace(NETWORK, linear_frac=14))
    assert Origin("x", "digits").command(coarse) == ""
    assert Origin("x").command(state) == ""
