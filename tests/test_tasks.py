"""Tasks: their defaults go together, and the digits are learned."""

from dataclasses import replace

import pytest
from idx_files import write_images

from dualgate.devices import open_device
from dualgate.errors import InputError
from dualgate.network import Network
from dualgate.settings import PRUNE_OFF
from dualgate.tasks import TASKS, find_task
from dualgate.training import Trainer


def test_an_unknown_task_names_the_choices() -> None:
    with pytest.raises(
        InputError, match=r"^unknown task 'x'; choose digits, mnist, fashion-mnist$"
    ):
        find_task("x")


@pytest.mark.parametrize("name", TASKS)
def test_defaults_make_a_network_whose_tangents_cross_a_hidden_layer(name: str) -> None:
    task = TASKS[name]
    network = Network(task.layers, task.activation, task.loss)
    assert len(network.hidden) >= 2
    assert task.recipe.prune != PRUNE_OFF


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_image_tasks_read_their_directory(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = TASKS[name].load(write_images(tmp_path_factory.mktemp(name)))
    assert data.train.x.shape[1] == TASKS[name].layers[0]


@pytest.mark.parametrize("seed", [0, 1])
def test_digits_reach_95_percent_without_saturating(seed: int) -> None:
    task = TASKS["digits"]
    data = task.load(None)
    recipe = replace(task.recipe, seed=seed)
    network = Network(task.layers, task.activation, task.loss)
    with open_device("golden") as device:
        records = list(Trainer(network, recipe, data.train, data.held_out).run(device))
    assert records[-1].held_out_accuracy is not None
    assert records[-1].held_out_accuracy >= 0.955
    assert all(record.saturations == 0 for record in records)
    assert 0.1 < records[-1].kept_fraction < 0.5
