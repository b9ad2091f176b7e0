# SPDX-License-Identifier: BSD-2-Clause

"""Training: the loop, its records, what it refuses before it touches a device."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples
from support.small_runs import NETWORK, RECIPE, Recorder, blobs, golden

from dualgate.contract.errors import FitError, InputError
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.devices import Device
from dualgate.optim.initialisers import initial_master_weights
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Record, Trainer


def timeless(records: list[Record]) -> list[Record]:
    return [replace(record, samples_per_s=0.0) for record in records]


def train(recipe: Recipe = RECIPE) -> tuple[list[Record], list[np.ndarray[Any, Any]]]:
    trainer = Trainer(NETWORK, recipe, blobs(), blobs(20, 1))
    with golden() as device:
        records = list(trainer.run(device))
        return timeless(records), device.read_weights()


def test_one_seed_gives_the_same_run_and_another_does_not() -> None:
    first, second, other = train(), train(), train(replace(RECIPE, seed=2))
    assert first[0] == second[0]
    assert all((a == b).all() for a, b in zip(first[1], second[1], strict=True))
    assert first[0] != other[0]


def test_a_run_learns() -> None:
    records, _ = train(replace(RECIPE, epochs=12))
    assert [record.epoch for record in records] == list(range(1, 13))
    assert records[-1].loss < records[0].loss / 4
    assert records[-1].held_out_accuracy == 1.0
    assert 0.0 < records[-1].kept_fraction < 1.0
    assert records[-1].cycles_per_sample is None


def test_loss_and_accuracy_are_of_the_outputs_while_training() -> None:
    samples = blobs()
    trainer = Trainer(NETWORK, replace(RECIPE, epochs=1, batch=50), samples)
    with golden() as device:
        device.configure(NETWORK, trainer.update_frac)
        device.write_weights(initial_master_weights(NETWORK, RECIPE.seed))
        outputs = NETWORK.output_format.real(device.infer(NETWORK.quantize_inputs(samples.x)))
        (record,) = trainer.run(device)
    assert record.loss == pytest.approx(NETWORK.objective.value(outputs, samples.target).mean())
    assert samples.labels is not None
    assert record.accuracy == (outputs.argmax(axis=1) == samples.labels).mean()
    assert record.held_out_loss is None
    assert record.held_out_accuracy is None


@examples(40)
@given(st.integers(1, 60), st.integers(1, 70))
def test_batches_are_as_equal_as_can_be_and_each_averages_its_own(count: int, batch: int) -> None:
    seen: list[int] = []
    trainer = Trainer(NETWORK, replace(RECIPE, epochs=1, batch=batch), blobs(count))
    with golden() as device:
        list(trainer.run(device, seen.append))
    sizes = np.diff([0, *seen])
    assert sizes.sum() == count
    assert len(sizes) == trainer.batches == -(-count // batch)
    assert sizes.max() - sizes.min() <= 1
    assert sizes.max() <= batch


def test_training_goes_on_from_a_checkpoint_to_the_same_bits() -> None:
    whole, weights = train()
    with golden() as device:
        half = Trainer(NETWORK, replace(RECIPE, epochs=1), blobs(), blobs(20, 1))
        first = list(half.run(device))
        state = half.checkpoint(device)
    rest = Trainer(NETWORK, RECIPE, blobs(), blobs(20, 1), start=state)
    with golden() as device:
        assert timeless([*first, *rest.run(device)]) == whole
        assert all((a == b).all() for a, b in zip(device.read_weights(), weights, strict=True))


def test_a_checkpoint_of_another_run_is_refused() -> None:
    trainer = Trainer(NETWORK, RECIPE, blobs())
    with golden() as device:
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    for network, recipe in (
        (Network((6, 3)), RECIPE),
        (NETWORK, replace(RECIPE, seed=5)),
        (NETWORK, replace(RECIPE, lr=8.0)),
    ):
        with pytest.raises(InputError, match=r"^the checkpoint is of another run"):
            Trainer(network, recipe, blobs(), start=state)


GOOD = blobs()


def spoiled(value: float) -> Samples:
    x = GOOD.x.copy()
    x[3, 2] = value
    return replace(GOOD, x=x)


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (spoiled(float("nan")), "^input holds NaN or infinity"),
        (spoiled(float("-inf")), "^input holds NaN or infinity"),
        (spoiled(9.0), r"^input 9 is outside the number range"),
        (replace(GOOD, x=GOOD.x[:, :5]), r"^inputs have shape \(50, 5\)"),
        (replace(GOOD, x=GOOD.x[0]), r"^inputs have shape \(6,\)"),
        (replace(GOOD, x=GOOD.x[:0]), "^0 inputs for 50 targets"),
        (replace(GOOD, x=GOOD.x[:9]), "^9 inputs for 50 targets"),
        (replace(GOOD, target=GOOD.target[:, :2]), r"^targets have shape \(50, 2\)"),
        (replace(GOOD, target=GOOD.target * 3), "^target 3 is outside the number range"),
    ],
)
def test_samples_that_do_not_fit_are_refused(samples: Samples, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Trainer(NETWORK, RECIPE, samples)
    with pytest.raises(InputError, match=message):
        Trainer(NETWORK, RECIPE, GOOD, samples)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "^0 epochs"),
        ({"batch": 0}, "^batch of 0"),
        ({"batch": 1 << 20}, "^batch of 1048576"),
        ({"lr": 0.0}, "^learning rate 0.0"),
        ({"lr": float("nan")}, "^learning rate nan"),
        ({"lr": 1e300}, "^learning rate 1e"),
        ({"momentum": 1.0}, "^momentum 1.0"),
        ({"momentum": float("nan")}, "^momentum nan"),
        ({"prune": 0}, "^prune 0"),
        ({"seed": -1}, "^seed -1"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Trainer(NETWORK, replace(RECIPE, **change), GOOD)


def test_a_network_that_does_not_fit_is_refused_before_any_write() -> None:
    with golden() as device:
        recorder = Recorder(device)
        wide = Trainer(Network((6, 1 << 20, 3)), RECIPE, blobs())
        with pytest.raises(FitError, match=r"rows has 32768, needed"):
            next(wide.run(cast(Device, recorder)))
        assert recorder.calls == ["configure"]


def test_a_run_begins_with_the_weights_it_is_given() -> None:
    weights = initial_master_weights(NETWORK, 9)
    trainer = Trainer(NETWORK, replace(RECIPE, epochs=1), GOOD, weights=weights)
    drawn = Trainer(NETWORK, replace(RECIPE, epochs=1, seed=9), GOOD)
    with golden() as device:
        recorder = Recorder(device)
        seen: list[Any] = []
        recorder.write_weights = lambda w: (seen.append(w), device.write_weights(w))
        for each in (trainer, drawn):
            list(each.run(cast(Device, recorder)))
    assert all((a == b).all() for a, b in zip(*seen, strict=True))
    assert all(
        (a == b).all() for a, b in zip(weights, initial_master_weights(NETWORK, 9), strict=True)
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:2], r"^weights have shapes \[\(7, 8\), \(9, 5\)\]; the network needs"),
        (lambda w: [w[0], w[1], w[2].T], "^weights have shapes"),
        (lambda w: [w[0], w[1] / 2, w[2]], "^weights of layer 1 are not integers of 32 bits; exch"),
        (lambda w: [w[0], w[1], w[2] + (1 << 31)], "^weights of layer 2 are not integers of 32"),
    ],
)
def test_weights_that_are_not_the_networks_are_refused(change: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Trainer(NETWORK, RECIPE, GOOD, weights=change(initial_master_weights(NETWORK)))


def test_a_checkpoint_admits_no_other_weights() -> None:
    with golden() as device:
        half = Trainer(NETWORK, replace(RECIPE, epochs=1), GOOD)
        list(half.run(device))
        state = half.checkpoint(device)
    with pytest.raises(InputError, match=r"^the checkpoint has its own weights"):
        Trainer(NETWORK, RECIPE, GOOD, start=state, weights=initial_master_weights(NETWORK))
