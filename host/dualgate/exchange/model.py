# SPDX-License-Identifier: BSD-2-Clause

"""A network with real weights."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.activations import IDENTITY, STEP
from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..contract.losses import LOSSES
from ..contract.network import Network, check_shapes
from ..floating.forward_mode import ForwardMode
from ..train.dropout import grown, shrunk
from .steps import Activate, Dense, Drop, Step

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Model:
    """A network with real weights.

    Parameters
    ----------
    network : Network
    weights : sequence of float array (inputs + 1, outputs)
        The last row of each is the bias.
    dropout : sequence of float
        Rate at each hidden layer; by default none. It plays a part in training only. The weights
        are those that answer.
    classes : sequence of str
        Names of the classes, where they are known; by default none.

    Raises
    ------
    InputError
        For weights or rates that do not match the network, or are not finite.
    """

    network: Network
    weights: Sequence[Floats]
    dropout: Sequence[float] = ()
    classes: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_shapes(self.network, cast(Sequence[Ints], self.weights))  # of shapes alone
        if not all(np.isfinite(w).all() for w in self.weights):
            raise InputError("weights hold NaN or infinity; train the network again")
        hidden = len(self.network.layers) - 1
        rates = tuple(self.dropout) or (0.0,) * hidden
        if len(rates) != hidden or not all(0.0 <= rate < 1.0 for rate in rates):
            raise InputError(f"dropout {rates}: give {hidden} rates from 0 to below 1")
        object.__setattr__(self, "dropout", rates)

    @classmethod
    def of_device(cls, network: Network, master: Sequence[Ints], dropout: float = 0.0) -> "Model":
        """Make a model from master weights of a device or a checkpoint; exact without dropout.

        Parameters
        ----------
        network : Network
        master : sequence of int array (inputs + 1, outputs), `formats.MASTER`
        dropout : float
            `Recipe.dropout` of their training; see `dropout.shrunk`.
        """
        weights = shrunk([MASTER.real(w) for w in master], dropout)
        return cls(network, weights, (dropout,) * (len(network.layers) - 1))

    def master_weights(self, dropout: float = 0.0) -> list[Ints]:
        """Return master weights: rounded to `formats.MASTER`, never clipped.

        Parameters
        ----------
        dropout : float
            `Recipe.dropout` of the training that goes on from them. With 0 they are weights for
            inference. Otherwise they are larger behind hidden units, by 1 / (1 - dropout), so that
            a device that scales them down for inference answers as this model does.

        Returns
        -------
        list of int array (inputs + 1, outputs)

        Raises
        ------
        InputError
            When any is outside [-8, 8); says how many of which layer.
        """
        weights = grown(self.weights, dropout)
        for index, w in enumerate(weights):
            outside = int(np.count_nonzero((w < MASTER.min) | (w > MASTER.max)))
            if outside:
                raise InputError(
                    f"{outside} of {w.size} weights of layer {index} are outside the number range "
                    f"[{MASTER.min:g}, {-MASTER.min:g}), the largest {np.abs(w).max():.6g}; train "
                    "with weight decay, or clip them"
                )
        return [MASTER.quantize(w, "weight") for w in weights]

    def outputs(self, x: ArrayLike) -> Floats:
        """Compute the outputs (samples, outputs) in float64 for inputs `x` (samples, inputs).

        A device rounds weights to 16 bits and values on the way, so its outputs are close to these.
        """
        inputs = np.asarray(x, np.float64)
        return np.asarray(ForwardMode(self.network).forward(list(self.weights), inputs).outputs)

    def steps(self) -> Iterator[Step]:
        """Return the steps of the network in order; an identity is no step.

        Raises
        ------
        InputError
            For a loss whose predictions are not the network's outputs (``msle``), and for the
            outputs of a perceptron.
        """
        if self.network.objective.output is STEP:
            raise InputError("the step of a perceptron's outputs is not supported elsewhere")
        if self.network.objective.inverse is not LOSSES["mse"].inverse:
            raise InputError(
                f"the loss {self.network.loss} transforms the outputs, for which others have no "
                "layer; exchange the network with loss mse and transform its outputs yourself"
            )
        layers = zip(self.network.layers, self.weights, (*self.dropout, 0.0), strict=True)
        for layer, w, rate in layers:
            yield Dense(w)
            if layer.activation is not IDENTITY:
                yield Activate(layer.activation.name)
            if rate:
                yield Drop(rate)
