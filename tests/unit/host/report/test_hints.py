# SPDX-License-Identifier: BSD-2-Clause

"""Hints: each follows from a run that has the defect, and none from a run that is well."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.cli.train import train as train_command
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF
from dualgate.data import Dataset, Samples
from dualgate.devices import Counters
from dualgate.report import hints
from dualgate.report.content import Content, find_content, quick_hints
from dualgate.report.hints import Facts, find_hints
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

LINE = Network((2, 4, 1), "relu", "mse")
QUIET = Recipe(epochs=4, batch=8, lr=0.05, seed=1)


def trained(network: Network, recipe: Recipe, samples: Samples) -> Checkpoint:
    trainer = Trainer(network, recipe, samples)
    with golden() as device:
        list(trainer.run(device))
        return trainer.checkpoint(device)


def reported(network: Network, recipe: Recipe, samples: Samples) -> Content:
    return find_content(trained(network, recipe, samples), Dataset(samples, samples))


def line(scale: float, inputs: float = 1.0) -> Samples:
    """Two inputs whose weighted sum times `scale` is the target."""
    x = np.random.default_rng(3).uniform(-1, 1, (64, 2))
    return Samples(x * inputs, scale * (x @ [[0.7], [-0.4]]))


def words(content: Content) -> str:
    return "\n".join(map(str, content.hints))


def test_a_healthy_run_has_no_hint() -> None:
    assert reported(NETWORK, RECIPE, blobs(90)).hints == ()
    assert reported(LINE, QUIET, line(1.0)).hints == ()


def test_tiny_targets_use_few_bits() -> None:
    """Outputs of order 1e-3 are one step of the format."""
    content = reported(LINE, QUIET, line(1e-3))
    assert re.search(r"^layer 1: (outputs|targets) use 1 of 16 bits; ", words(content), re.M)
    assert "unit size" in words(content)


def test_tiny_inputs_use_few_bits() -> None:
    assert "inputs use 5 of 16 bits; scale the inputs" in words(
        reported(LINE, QUIET, line(1.0, inputs=0.007))
    )


def test_clipped_updates_ask_for_a_lower_rate() -> None:
    content = reported(LINE, replace(QUIET, lr=200.0), line(20.0))
    assert content.state.counters.saturated_updates
    assert f"{content.state.counters.saturated_updates:,} update scalars" in words(content)
    assert "lower --lr" in words(content)


def test_clipped_weights_ask_for_a_penalty() -> None:
    content = reported(NETWORK, replace(RECIPE, lr=60.0, momentum=0.0), blobs(90))
    assert content.state.counters.saturated_weights
    assert "weights were clipped at +-8; add --l2" in words(content)


def test_large_weights_are_named_before_they_clip() -> None:
    state = trained(NETWORK, RECIPE, blobs(90))
    state.weights[1][0, 0] = 6 << 28
    (hint,) = quick_hints(state, blobs(90))
    assert str(hint) == "layer 1: weights are above 4, the limit is 8; add --l2 1e-4"


def test_units_that_are_always_zero_are_counted() -> None:
    state = trained(LINE, QUIET, line(1.0))
    state.weights[0][-1, :3] = -(7 << 28)
    samples = line(1.0)
    content = find_content(state, Dataset(samples, samples))
    assert "layer 0: 3 of 4 units are zero for every sample" in words(content)
    assert "--activation leaky_relu" in words(content)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
def test_values_at_the_flat_ends_are_named(activation: str) -> None:
    network = Network((6, 8, 3), activation, "cce")
    state = trained(network, RECIPE, blobs(90))
    state.weights[0][-1] = 7 << 28
    content = find_content(state, Dataset(blobs(90), blobs(90)))
    assert re.search(f"of the values are at the flat ends of {activation}", words(content))


def test_clipped_pre_activations_of_relu_are_named() -> None:
    state = trained(LINE, QUIET, line(1.0))
    state.weights[0][:] = 7 << 28
    samples = line(1.0, inputs=7.0)
    content = find_content(state, Dataset(samples, samples))
    assert re.search(r"layer 0: \d+\.\d% of the pre-activations were clipped", words(content))
    facts = Facts(LINE, QUIET, Counters(saturated_values=100), 64, ())
    assert [str(hint) for hint in find_hints(facts)] == [
        "100 pre-activations were clipped; scale the targets down, or lower --lr"
    ]


def test_pruning_that_is_off_is_worth_a_word() -> None:
    content = reported(NETWORK, replace(RECIPE, prune=PRUNE_OFF), blobs(90))
    assert re.search(
        r"all derivatives are kept; --prune 1/4 would keep \d+% of them", words(content)
    )
    content = reported(NETWORK, replace(RECIPE, prune=12), blobs(90))
    assert "--prune 1/4096 drops almost nothing" in words(content)


def test_every_option_in_a_hint_exists() -> None:
    named = set(re.findall(r"--[a-z][a-z0-9-]*", Path(hints.__file__).read_text()))
    known = {option for parameter in train_command.params for option in parameter.opts}
    assert {"--lr", "--l2", "--prune", "--momentum"} <= named <= known


def test_the_most_important_hint_comes_first() -> None:
    facts = Facts(LINE, QUIET, Counters(saturated_weights=2, saturated_updates=5), 64, ())
    assert [hint.what.split()[1] for hint in find_hints(facts)] == ["weights", "update"]
