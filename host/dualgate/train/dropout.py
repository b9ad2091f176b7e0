# SPDX-License-Identifier: BSD-2-Clause

"""Dropout: random hidden units are left out of each sample; Srivastava et al. 2014.

On a device, a unit that is left out has the value zero, and the values of the others do not change.
For inference all units take part, and their outgoing weights are multiplied by ``1 - rate``, the
share of the units that took part in training.

So there are two sets of weights: those that are trained, in a device and in a checkpoint, and those
that answer, in a `Model` and wherever networks are exchanged. `shrunk` makes the second of the
first, and `grown` the first of the second.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..devices import Device

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def shrunk(weights: Sequence[Floats], rate: float) -> list[Floats]:
    """Scale weights that were trained with dropout for inference.

    Parameters
    ----------
    weights : sequence of float array (inputs + 1, outputs)
    rate : float

    Returns
    -------
    list of arrays of the same shapes
        The outgoing weights of hidden units are multiplied by ``1 - rate``; biases and the first
        layer are unchanged.
    """
    hidden = [np.concatenate((w[:-1] * (1.0 - rate), w[-1:])) for w in weights[1:]]
    return [np.asarray(weights[0]), *hidden]


def grown(weights: Sequence[Floats], rate: float) -> list[Floats]:
    """Scale weights for inference to weights that are trained with dropout; undoes `shrunk`.

    Parameters
    ----------
    weights : sequence of float array (inputs + 1, outputs)
    rate : float

    Returns
    -------
    list of arrays of the same shapes
        The outgoing weights of hidden units are divided by ``1 - rate``; biases and the first
        layer are unchanged.

    Raises
    ------
    InputError
        For a rate that is not from 0 to below 1.
    """
    if not 0.0 <= rate < 1.0:
        raise InputError(f"dropout {rate}: give a share from 0 to below 1")
    hidden = [np.concatenate((w[:-1] / (1.0 - rate), w[-1:])) for w in weights[1:]]
    return [np.asarray(weights[0]), *hidden]


def inference_weights(master: Sequence[Ints], rate: float) -> list[Ints]:
    """Scale master weights for inference, as `shrunk` does, and round them to the same format.

    Parameters
    ----------
    master : sequence of int array (inputs + 1, outputs), `formats.MASTER`
    rate : float

    Returns
    -------
    list of int arrays of the same shapes
    """
    return [MASTER.quantize(w, "weight") for w in shrunk([MASTER.real(m) for m in master], rate)]


def infer(device: Device, x: Ints, rate: float) -> Ints:
    """Run inference on a device that holds weights trained with dropout, and restore them.

    Parameters
    ----------
    device : Device
    x : int array (samples, inputs)
    rate : float
        With 0 this is `Device.infer`. Otherwise the weights are read once and written twice.

    Returns
    -------
    int array (samples, outputs)
    """
    if not rate:
        return device.infer(x)
    trained = device.read_weights()
    device.write_weights(inference_weights(trained, rate))
    try:
        return device.infer(x)
    finally:
        device.write_weights(trained)
