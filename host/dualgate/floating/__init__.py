# SPDX-License-Identifier: BSD-2-Clause

"""Networks in floating point: losses, gradients in forward mode, optimisers and training.

::

    mode = ForwardMode(Network((64, 24, 10), "tanh"), policy=RelativePerTag(2))
    trainer = FloatTrainer(mode, FloatRecipe(20, 32, Adam()), data.train, data.held_out)
    for record in trainer.run():
        print(record.epoch, record.held_out_accuracy)
"""

from ..optim.initialisers import initial_weights
from ..optim.optimisers import SGD, AdaDelta, Adagrad, Adam, Momentum, Nesterov, Optimiser, RMSProp
from ..optim.regularisation import Dropout, EarlyStopping, Penalty
from ..optim.schedules import Exponential, InverseRoot, InverseTime, Schedule, Staircase
from .backends import find_kernels
from .forward_mode import ForwardMode
from .losses import LOSSES, Loss
from .neuron import Descent
from .pruning import LargestPerNumber, Policy, RandomPerNumber, RelativePerTag, keep_all
from .recipe import FloatRecipe
from .single_layer import Adaline, LinearRegression, LogisticRegression, Perceptron
from .training import FloatTrainer

__all__ = [
    "LOSSES",
    "SGD",
    "AdaDelta",
    "Adagrad",
    "Adaline",
    "Adam",
    "Descent",
    "Dropout",
    "EarlyStopping",
    "Exponential",
    "FloatRecipe",
    "FloatTrainer",
    "ForwardMode",
    "InverseRoot",
    "InverseTime",
    "LargestPerNumber",
    "LinearRegression",
    "LogisticRegression",
    "Loss",
    "Momentum",
    "Nesterov",
    "Optimiser",
    "Penalty",
    "Perceptron",
    "Policy",
    "RMSProp",
    "RandomPerNumber",
    "RelativePerTag",
    "Schedule",
    "Staircase",
    "find_kernels",
    "initial_weights",
    "keep_all",
]
