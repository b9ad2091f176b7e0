# SPDX-License-Identifier: BSD-2-Clause

"""The layout of a network in the memories of an engine, and the layer descriptors that encode it.

The fields of a descriptor are defined here only; the host packs them, the gateware unpacks them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .activations import CODE_BITS
from .engine import WORD_BITS, EngineParameters
from .errors import FitError
from .formats import APPLY_BIAS, MASTER_FRAC
from .network import Layer, Network

LAYER_FIELDS: tuple[tuple[str, int], ...] = (
    ("inputs", 16),
    ("outputs", 16),
    ("groups", 16),
    ("weight_base", 16),
    ("list_base", 16),
    ("vector_base", 16),
    ("z_shift", 5),
    ("activation", CODE_BITS),
    ("in_frac", 4),
    ("out_frac", 4),
    ("apply_shift", 6),
    ("last", 1),
    ("sloped", 1),
    ("frozen", 1),
)
"""Name and width of each field of a layer descriptor, least significant first; unsigned.

inputs, outputs
    Units before the layer and in it.
groups
    ``ceil(outputs / neurons)``: number of passes in which the neurons compute the layer.
weight_base
    First row of the layer in the weight and velocity memories. The rows of group g begin at
    ``weight_base + g * (inputs + 1)``, one for each input, the bias last.
list_base
    Address of the first nonzero input of the layer in the list memory of activations; 0 for the
    first layer, whose inputs have a memory of their own.
vector_base
    Address of the first slopes and update scalars of the layer, in words of `neurons` entries. The
    output layer keeps them in this memory only in the compact engine.
z_shift, activation, in_frac, out_frac
    See `Layer` and `Activation.code`.
apply_shift
    `APPLY_BIAS` plus the right shift from velocity to master weight.
last, sloped, frozen
    Whether it is the output layer; `Loss.sloped`; `Layer.frozen`.
"""

LAYER_WORDS = -(-sum(bits for _, bits in LAYER_FIELDS) // WORD_BITS)


@dataclass(frozen=True)
class Layout:
    """The addresses of a network in the memories of an engine.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    update_frac : int
        Fraction bits of update scalars.

    Raises
    ------
    FitError
        If the network does not fit.
    """

    network: Network
    engine: EngineParameters
    update_frac: int

    def __post_init__(self) -> None:
        self.engine.check(self.network)
        check_update_frac(self.network, self.update_frac)

    @cached_property
    def descriptors(self) -> list[dict[str, int]]:
        """The values of `LAYER_FIELDS` for each layer."""
        result = []
        weight_base = list_base = vector_base = 0
        for index, layer in enumerate(self.network.layers):
            groups = self.engine.groups_of(layer)
            result.append(
                {
                    "inputs": layer.inputs,
                    "outputs": layer.outputs,
                    "groups": groups,
                    "weight_base": weight_base,
                    "list_base": list_base,
                    "vector_base": vector_base,
                    "z_shift": layer.z_shift,
                    "activation": layer.activation.code,
                    "in_frac": layer.in_frac,
                    "out_frac": layer.out_frac,
                    "apply_shift": _apply_shift(layer, self.update_frac),
                    "last": int(index == len(self.network.layers) - 1),
                    "sloped": int(self.network.objective.sloped),
                    "frozen": int(layer.frozen),
                }
            )
            weight_base += groups * layer.rows
            list_base += layer.rows if index else 0
            vector_base += groups
        return result

    @property
    def rows(self) -> int:
        """Number of rows of the weight memory in use."""
        return sum(self.engine.groups_of(layer) * layer.rows for layer in self.network.layers)

    def to_rows(self, matrices: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
        """Convert the matrices (inputs + 1, outputs) of the layers to memory rows (rows, neurons).

        Lanes without a unit are zero; the engine relies on that.
        """
        lanes = self.engine.neurons
        parts = []
        for layer, matrix in zip(self.network.layers, matrices, strict=True):
            groups = self.engine.groups_of(layer)
            padded = np.zeros((layer.rows, groups * lanes), dtype=np.int64)
            padded[:, : layer.outputs] = matrix
            parts.append(padded.reshape(layer.rows, groups, lanes).swapaxes(0, 1))
        return np.concatenate([part.reshape(-1, lanes) for part in parts])

    def from_rows(self, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
        """Convert memory rows to matrices; the inverse of `to_rows`."""
        lanes = self.engine.neurons
        result, start = [], 0
        for layer in self.network.layers:
            groups = self.engine.groups_of(layer)
            part = rows[start : start + groups * layer.rows]
            start += groups * layer.rows
            grid = part.reshape(groups, layer.rows, lanes).swapaxes(0, 1)
            result.append(grid.reshape(layer.rows, -1)[:, : layer.outputs].copy())
        return result


def check_update_frac(network: Network, update_frac: int) -> None:
    """Raise `FitError` unless the engine can shift velocities of a network to its weights.

    Parameters
    ----------
    network : Network
    update_frac : int
        Fraction bits of update scalars.
    """
    for layer in network.layers:
        if not 0 <= _apply_shift(layer, update_frac) < 63:
            raise FitError(
                "the learning rate is too small or too large for the format of the weights; "
                "choose another rate"
            )


def _apply_shift(layer: Layer, update_frac: int) -> int:
    return layer.in_frac + update_frac - MASTER_FRAC + APPLY_BIAS
