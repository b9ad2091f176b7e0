# SPDX-License-Identifier: BSD-2-Clause

"""Binary points for networks of others, whose values may be far smaller than those of ours."""

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..contract.activations import IDENTITY
from ..contract.formats import UNIT_FRAC
from .model import Model
from .steps import ExchangeWarning

Floats = NDArray[np.float64]

SMALL = 0.25
"""Bound of the values of unbounded activations below which they get all fraction bits there are:
their range is then +-2, eight times as much, which leaves room for training to go on."""

FEWEST_STEPS = 8.0
"""Fewest steps of the outputs' format in their root mean square that pass without a warning."""


def fitted(model: Model) -> Model:
    """Choose the binary point of unbounded activations by the weights.

    Parameters
    ----------
    model : Model

    Returns
    -------
    Model
        With the most fraction bits if no unbounded value can reach `SMALL`, whatever the inputs.

    Warns
    -----
    ExchangeWarning
        When outputs for standardised inputs are only a few steps of their format.
    """
    # Weights of any size are read here, and refused where they do not fit.
    with np.errstate(all="ignore"):
        if 0.0 < _largest(model) < SMALL:
            model = replace(model, network=replace(model.network, linear_frac=UNIT_FRAC))
        _warn_of_few_steps(model)
    return model


def _largest(model: Model) -> float:
    """Bound the unbounded activations' pre-activations, by interval arithmetic (Moore 1966)."""
    network = model.network
    high = np.full(network.sizes[0], -network.input_format.min)
    low, largest = -high, 0.0
    for layer, w in zip(network.layers, model.weights, strict=True):
        up, down = np.maximum(w[:-1], 0.0), np.minimum(w[:-1], 0.0)
        low, high = low @ up + high @ down + w[-1], high @ up + low @ down + w[-1]
        if layer.activation.z_frac < 0:
            largest = max(largest, float(np.abs([low, high]).max()))
        # Every hidden activation rises with its argument.
        if layer is not network.layers[-1]:
            low, high = layer.activation.value(low), layer.activation.value(high)
    return largest


def _warn_of_few_steps(model: Model) -> None:
    if model.network.objective.output is not IDENTITY:
        return
    x = np.random.default_rng(0).normal(0.0, 1.0, (64, model.network.sizes[0]))
    order = float(np.sqrt(np.mean(model.outputs(x) ** 2)))
    step = 2.0**-model.network.output_format.frac
    if 0.0 < order < FEWEST_STEPS * step:
        factor = 2.0 ** np.ceil(np.log2(1.0 / order))
        warnings.warn(
            f"the outputs are of order {order:.1e} and the device's are multiples of {step:.1e}; "
            f"multiply the last layer and the targets by a number such as {factor:g}",
            ExchangeWarning,
            stacklevel=4,
        )
