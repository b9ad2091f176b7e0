# SPDX-License-Identifier: BSD-2-Clause

"""Dropout: hidden units are left out of samples by chance; Srivastava et al. 2014.

On a device a unit that is left out is a zero, and the others stay as they are. When the network
answers, all units take part, and the weights behind them shrink by the share that was there before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract.formats import MASTER
from ..devices import Device

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def shrunk(weights: Sequence[Floats], rate: float) -> list[Floats]:
    """Weights to answer with, for weights trained with units left out and the others as they are.

    Parameters
    ----------
    weights : sequence of float array (inputs + 1, outputs)
    rate : float

    Returns
    -------
    list of arrays of the same shapes: those that leave hidden units times ``1 - rate``. Biases
    and the first layer are as they were.
    """
    hidden = [np.concatenate((w[:-1] * (1.0 - rate), w[-1:])) for w in weights[1:]]
    return [np.asarray(weights[0]), *hidden]


def inference_weights(master: Sequence[Ints], rate: float) -> list[Ints]:
    """The same of master weights, rounded as all of them are.

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
    """Let a device answer that holds weights trained under dropout; it holds them afterwards, too.

    Parameters
    ----------
    device : Device
    x : int array (samples, inputs)
    rate : float
        With 0 this is `Device.infer`; otherwise weights are read once and written twice.

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
