# SPDX-License-Identifier: BSD-2-Clause

"""Train neural networks on hardware that pays only for the gradients it keeps.

::

    from dualgate import Network, Recipe, Trainer, load_digits, open_device

    digits = load_digits()
    recipe = Recipe(epochs=5, batch=32, lr=0.07, momentum=0.9)
    trainer = Trainer(Network((64, 32, 10), "tanh"), recipe, digits.train, digits.held_out)
    with open_device("golden") as device:
        for record in trainer.run(device):
            print(record.epoch, record.held_out_accuracy)

These names are the package's face; everything else may move. Each is imported when it is first
asked for, so that ``import dualgate`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contract.engine import EngineParameters as EngineParameters
    from .contract.errors import DualgateError as DualgateError
    from .contract.network import Network as Network
    from .contract.settings import parse_prune as parse_prune
    from .data import Dataset as Dataset
    from .data import Samples as Samples
    from .data import load_digits as load_digits
    from .devices import Device as Device
    from .devices import open_device as open_device
    from .estimator import Classifier as Classifier
    from .estimator import Regressor as Regressor
    from .exchange import Model as Model
    from .exchange import from_torch as from_torch
    from .exchange import read_model as read_model
    from .exchange import to_torch as to_torch
    from .exchange import write_model as write_model
    from .exchange import write_onnx as write_onnx
    from .floating import FloatRecipe as FloatRecipe
    from .floating import FloatTrainer as FloatTrainer
    from .floating import ForwardMode as ForwardMode
    from .runs import load_run as load_run
    from .tasks import OwnData as OwnData
    from .tasks import own_task as own_task
    from .train.checkpoint import Checkpoint as Checkpoint
    from .train.checkpoint import load_checkpoint as load_checkpoint
    from .train.recipe import Recipe as Recipe
    from .train.trainer import Trainer as Trainer

_HOMES = {
    "contract.engine": ("EngineParameters",),
    "contract.errors": ("DualgateError",),
    "contract.network": ("Network",),
    "contract.settings": ("parse_prune",),
    "data": ("Dataset", "Samples", "load_digits"),
    "devices": ("Device", "open_device"),
    "estimator": ("Classifier", "Regressor"),
    "exchange": ("Model", "from_torch", "read_model", "to_torch", "write_model", "write_onnx"),
    "floating": ("FloatRecipe", "FloatTrainer", "ForwardMode"),
    "runs": ("load_run",),
    "tasks": ("OwnData", "own_task"),
    "train.checkpoint": ("Checkpoint", "load_checkpoint"),
    "train.recipe": ("Recipe",),
    "train.trainer": ("Trainer",),
}

_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    """Import one of the names in `__all__` from its module."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
