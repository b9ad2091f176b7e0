# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: their defaults go together and reach what they state."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.idx_files import write_images
from support.small_engines import engine

from dualgate.contract.errors import InputError
from dualgate.data.builtin import load_diabetes
from dualgate.data.metrics import r2
from dualgate.devices import open_device
from dualgate.floating.single_layer import LinearRegression
from dualgate.tasks import TASKS, Goal, find_task
from dualgate.train.evaluation import Evaluation
from dualgate.train.trainer import Trainer

IMAGES = [name for name, task in TASKS.items() if task.needs_directory]
QUICK = [name for name in TASKS if name not in IMAGES]


def evaluate(name: str, seed: int = 0) -> tuple[Trainer, Evaluation]:
    task = TASKS[name]
    data = task.load(None)
    recipe = replace(task.recipe, seed=seed)
    with open_device("golden") as device:
        trainer = Trainer(task.network(name), recipe, data.train, data.held_out)
        list(trainer.run(device))
        return trainer, trainer.evaluate(device)


def test_an_unknown_task_names_the_choices() -> None:
    with pytest.raises(InputError, match=r"^unknown task 'x'; choose xor, .*, fashion-mnist$"):
        find_task("x")


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_defaults_reach_the_goal(name: str) -> None:
    trainer, evaluation = evaluate(name)
    assert TASKS[name].goal.met(evaluation), evaluation
    assert trainer.counters.saturated_updates == 0
    # A confident XOR of four hidden units wants weights of more than 8.
    assert trainer.counters.saturated_weights == 0 or name == "xor"


@pytest.mark.slow
def test_digits_reach_it_from_another_seed_too() -> None:
    trainer, evaluation = evaluate("digits", 1)
    assert TASKS["digits"].goal.met(evaluation)
    assert all(record.saturations == 0 for record in trainer.records)
    assert 0.1 < trainer.records[-1].kept_fraction < 0.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["xor", "iris", "perceptron"])
def test_small_tasks_reach_the_goal_on_the_rtl_with_the_same_bits(name: str) -> None:
    task = TASKS[name]
    data = task.load(None)
    weights = []
    for spec, options in (("golden", {}), ("sim", vars(engine("n4")))):
        with open_device(spec, **options) as device:
            trainer = Trainer(task.network(name), task.recipe, data.train, data.held_out)
            list(trainer.run(device))
            assert task.goal.met(trainer.evaluate(device))
            weights.append(device.read_weights())
    assert all((a == b).all() for a, b in zip(*weights, strict=True))


def test_linear_regression_comes_near_the_normal_equations() -> None:
    data = load_diabetes()
    solved = LinearRegression().fit(data.train.x, data.train.target[:, 0])
    best = r2(data.held_out.target[:, 0], solved.predict(data.held_out.x))
    _, evaluation = evaluate("linear")
    assert evaluation.r2 == pytest.approx(best, abs=0.01)


def test_the_regression_has_61_parameters() -> None:
    assert TASKS["friedman"].network("friedman").parameters == 61


@pytest.mark.parametrize("name", QUICK)
def test_samples_fit_the_network_and_are_not_held_out_twice(name: str) -> None:
    task = TASKS[name]
    data = task.load(None)
    network = task.network(name)
    for part in (data.train, data.held_out):
        assert len(network.quantize_inputs(part.x)) == len(network.quantize_targets(part.target))
    if name != "xor":
        assert not (data.train.x[:, None] == data.held_out.x[:5]).all(axis=2).any()


@pytest.mark.parametrize("name", IMAGES)
def test_image_tasks_read_their_directory(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    task = TASKS[name]
    data = task.load(write_images(tmp_path_factory.mktemp(name)))
    assert data.train.x.shape[1] == task.layers[0]
    assert data.train.target.shape[1] == task.layers[-1]
    trainer = Trainer(task.network(name), task.recipe, data.train, data.held_out)
    assert trainer.recipe.epochs <= 5
    with pytest.raises(InputError, match=r"give --data DIR"):
        task.load(Path("nowhere"))


def test_a_goal_is_met_from_its_side() -> None:
    at = Evaluation(0.5, 0.9, None, None, None)
    assert [Goal("loss", b).met(at) for b in (0.4, 0.5, 0.6)] == [False, True, True]
    assert [Goal("accuracy", b).met(at) for b in (0.8, 0.9, 0.95)] == [True, True, False]
    assert not Goal("r2", -np.inf).met(at)
