# SPDX-License-Identifier: BSD-2-Clause

"""Dropout on devices: what is left out of a run, what answers, and the same meaning elsewhere."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.small_engines import engine
from support.small_runs import NETWORK, RECIPE, Recorder, blobs, golden

from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings
from dualgate.devices import Device, open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.exchange import Model
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.dropout import infer, inference_weights, shrunk
from dualgate.train.evaluation import Evaluation
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

DROPPED = replace(RECIPE, dropout=0.25)
RECIPES = {
    "on chip": DROPPED,
    "on the host": Recipe(3, 16, 0.02, optimiser="adam", seed=1, dropout=0.5),
    "classes": replace(DROPPED, class_weights=(1, 2, 3)),
}


def trained(recipe: Recipe, device: Device) -> tuple[Trainer, Checkpoint]:
    trainer = Trainer(NETWORK, recipe, blobs(), blobs(20, 1))
    list(trainer.run(device))
    return trainer, trainer.checkpoint(device)


def same(one: list[Any], other: list[Any]) -> bool:
    return all((a == b).all() for a, b in zip(one, other, strict=True))


def test_weights_behind_hidden_units_shrink_and_no_others() -> None:
    weights = [np.array([[8, -8], [3, 5]]), np.array([[8], [-3], [3]]), np.array([[6], [7]])]
    found = [w.tolist() for w in inference_weights(weights, 0.25)]
    # -2.25 and 4.5: halves go upwards, as everywhere.
    assert found == [[[8, -8], [3, 5]], [[6], [-2], [3]], [[5], [7]]]
    extreme = [weights[0], np.array([[(1 << 31) - 1], [-(1 << 31)], [-(1 << 31)]])]
    assert inference_weights(extreme, 0.5)[1].tolist() == [[1 << 30], [-(1 << 30)], [-(1 << 31)]]
    assert same(inference_weights(weights, 0.0), weights)


@pytest.mark.parametrize("rate", [0.0, 0.25])
def test_an_answer_comes_from_shrunk_weights_and_changes_no_state(rate: float) -> None:
    x = NETWORK.quantize_inputs(blobs().x)
    with golden() as device:
        trained(DROPPED, device)
        weights, velocity = device.read_weights(), device.read_velocity()
        assert any(v.any() for v in velocity)
        found = infer(device, x, rate)
        assert same(device.read_weights(), weights)
        assert same(device.read_velocity(), velocity)
        device.write_weights(inference_weights(weights, rate))
        assert (found == device.infer(x)).all()
        device.write_weights(weights)
        assert (found == device.infer(x)).all() == (rate == 0.0)


def test_weights_come_back_when_an_answer_fails() -> None:
    with golden() as device:
        trained(DROPPED, device)
        weights = device.read_weights()
        with pytest.raises(InputError, match=r"^inputs have shape \(1, 5\); give \(1, 6\)$"):
            infer(device, np.zeros((1, 5), np.int64), 0.5)
        assert same(device.read_weights(), weights)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_the_simulated_hardware_trains_to_the_same_bits(name: str) -> None:
    recipe = replace(RECIPES[name], epochs=2)
    with golden() as device:
        expected, state = trained(recipe, device)
    with open_device("sim", **vars(engine("n8k3s"))) as sim:
        checked = CheckedDevice(sim, golden_model)
        trainer, found = trained(recipe, checked)
        assert checked.batches == 8
    assert same(found.weights, state.weights)
    assert same(found.velocity, state.velocity)
    assert [r.held_out_loss for r in trainer.records] == [r.held_out_loss for r in expected.records]


def test_every_batch_has_masks_of_its_own_and_a_seed_repeats_them() -> None:
    seen: list[list[Any]] = []
    for seed in (1, 1, 2):
        with golden() as device:
            recorder = Recorder(device)
            masks: list[Any] = []

            def train(x: Any, target: Any, given: Any, into: list[Any] = masks) -> Any:
                into.append(given)
                return device.train(x, target, given)

            recorder.train = train  # type: ignore[attr-defined]
            list(Trainer(NETWORK, replace(DROPPED, seed=seed), blobs()).run(recorder))  # type: ignore[arg-type]
        seen.append(masks)
    assert len(seen[0]) == 3 * 4
    for one, again, other in zip(*seen, strict=True):
        assert same(one, again)
        assert not same(one, other)
    shares = [np.concatenate([batch[layer] for batch in seen[0]]) for layer in (0, 1)]
    assert [share.shape for share in shares] == [(150, 8), (150, 5)]
    assert all(share.mean() == pytest.approx(0.75, abs=0.05) for share in shares)
    assert not any(
        (a[:12] == b[:12]).all() for i, (a, *_) in enumerate(seen[0]) for b, *_ in seen[0][:i]
    )


def test_records_and_evaluation_measure_the_weights_that_answer() -> None:
    held_out = blobs(20, 1)
    with golden() as device:
        trainer, state = trained(DROPPED, device)
        found = trainer.evaluate(device)
        device.write_weights(state.inference_weights)
        outputs = device.infer(NETWORK.quantize_inputs(held_out.x))
    assert found == Evaluation.of(NETWORK, held_out, outputs)
    assert trainer.records[-1].held_out_loss == pytest.approx(found.loss)
    assert same(state.inference_weights, inference_weights(state.weights, 0.25))
    assert not same(state.inference_weights, state.weights)


def test_a_model_of_trained_weights_is_the_network_that_answers() -> None:
    with golden() as device:
        _, state = trained(DROPPED, device)
    model = Model.of_device(NETWORK, state.weights, 0.25)
    assert model.dropout == (0.25, 0.25)
    assert same(model.master_weights(), state.inference_weights)
    real = shrunk([MASTER.real(w) for w in state.weights], 0.25)
    assert same(list(model.weights), real)


def test_nn_dropout_means_the_same() -> None:
    torch = pytest.importorskip("torch")
    from dualgate.exchange import to_torch

    with golden() as device:
        trainer, state = trained(DROPPED, device)
        ours = NETWORK.output_format.real(infer(device, trainer._train.x, 0.25))
    theirs = to_torch(Model.of_device(NETWORK, state.weights, 0.25), np.float64)
    x = torch.from_numpy(blobs().x)
    with torch.no_grad():
        assert np.abs(theirs(x).numpy() - ours).max() < 5e-3
        # In training theirs are raised by 1 / (1 - rate), on weights smaller by as much.
        theirs.train()
        torch.manual_seed(0)
        mean = torch.stack([theirs[:4](x) for _ in range(4000)]).mean(dim=0)
        theirs.eval()
        assert (mean - theirs[:4](x)).abs().max() < 0.1


@pytest.mark.slow
def test_masks_that_do_not_fit_are_refused_and_nothing_is_trained() -> None:
    x, target = np.zeros((2, 6), np.int64), np.zeros((2, 3), np.int64)
    masks = [np.ones((2, 8), bool), np.ones((2, 5), bool)]
    for device in (golden(), open_device("sim", **vars(engine("n4")))):
        with device:
            device.configure(NETWORK, 12)
            device.set(Settings(1 << 14, 14))
            with pytest.raises(InputError, match=r"samples without masks; give none$"):
                device.train(x, target, masks)
            device.set(Settings(1 << 14, 14, masked=True))
            with pytest.raises(InputError, match=r"samples with masks; give masks$"):
                device.train(x, target)
            for wrong in (masks[:1], [masks[0], masks[0]], [mask[:1] for mask in masks]):
                with pytest.raises(InputError, match=r"^masks have shapes .*2 samples need 2 x"):
                    device.train(x, target, wrong)
            assert device.counters().value_rows == 0
            device.train(x, target, masks)


@pytest.mark.slow
def test_dropout_without_hidden_units_is_refused() -> None:
    message = r"^dropout leaves out hidden units, and the network has none; use 0$"
    with pytest.raises(InputError, match=message):
        Trainer(Network((6, 3)), DROPPED, blobs())
    for device in (golden(), open_device("sim", **vars(engine("n4")))):
        with device:
            device.configure(Network((6, 3)), 12)
            with pytest.raises(InputError, match=r"^the network has no hidden layer to mask"):
                device.set(Settings(1 << 14, 14, masked=True))


@pytest.mark.parametrize("rate", [1.0, -0.1, float("nan")])
def test_a_rate_out_of_range_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=rf"^dropout {rate}: give a share from 0 to below 1$"):
        replace(RECIPE, dropout=rate)
