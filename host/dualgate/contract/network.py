# SPDX-License-Identifier: BSD-2-Clause

"""Networks: their sizes, activations and loss, and the binary points that follow from these."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import ACTIVATIONS, Activation, find_activation
from .errors import InputError
from .formats import MASTER, UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC, Format
from .losses import LOSSES, Loss, find_loss
from .values import Name, Names, Whole, Wholes, check_fields

LINEAR_FRAC = 10
"""Default fraction bits of unbounded activations, for a range of +-32."""

INPUT_FRAC = 12
"""Default fraction bits of inputs, for a range of +-8."""


@dataclass(frozen=True)
class Layer:
    """One fully connected layer: its sizes and binary points, without weights.

    Parameters
    ----------
    inputs, outputs : int
        Units before this layer and in it. The weight matrix has ``inputs + 1`` rows. The last row
        is the bias, whose input is a constant one.
    activation : Activation
    in_frac, z_frac, out_frac : int
        Fraction bits of the inputs, the pre-activation and the value.
    frozen : bool
        Whether the weights do not change: the units of the layer have no tags and no updates.
    """

    inputs: int
    outputs: int
    activation: Activation
    in_frac: int
    z_frac: int
    out_frac: int
    frozen: bool = False

    @property
    def rows(self) -> int:
        """Rows of the weight matrix."""
        return self.inputs + 1

    @property
    def z_shift(self) -> int:
        """Right shift from an accumulated sum to the pre-activation."""
        return self.in_frac + WEIGHT_FRAC - self.z_frac

    @property
    def one(self) -> int:
        """The constant one, as an integer in the format of the inputs; input of the bias row."""
        return 1 << self.in_frac


@dataclass(frozen=True)
class Network:
    """A multilayer perceptron: everything the engine needs to know except the weights.

    Parameters
    ----------
    sizes : sequence of int
        Number of inputs and units of each layer, for instance ``(64, 32, 10)``.
    activation : str or sequence of str
        Hidden activation, one for all or one for each hidden layer.
    loss : str
        A key of `LOSSES`; it also determines the output activation.
    input_frac, linear_frac : int
        Fraction bits of the inputs and of unbounded activations (identity, relu, leaky_relu).
    frozen : sequence of int
        Positions of layers whose weights do not change, from 0.

    Raises
    ------
    InputError
        For a value of another type, sizes below 1, fewer than two sizes, unknown names, binary
        points out of 0..14, or a frozen layer that does not exist.
    """

    sizes: Wholes
    activation: Names = "relu"
    loss: Name = "cce"
    input_frac: Whole = INPUT_FRAC
    linear_frac: Whole = LINEAR_FRAC
    frozen: Wholes = ()

    def __post_init__(self) -> None:
        check_fields(self)
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise InputError(
                f"layers {','.join(map(str, self.sizes))}: give the inputs and at least one "
                "layer, each of 1 unit or more, such as 64,32,10"
            )
        if len(self.hidden) != len(self.sizes) - 2:
            raise InputError(
                f"{len(self.hidden)} activations for {len(self.sizes) - 2} hidden layers; "
                "give one for all or one for each"
            )
        for name in self.hidden:
            find_activation(name)
        find_loss(self.loss)
        for name, frac in (("input_frac", self.input_frac), ("linear_frac", self.linear_frac)):
            if not 0 <= frac <= UNIT_FRAC:
                raise InputError(f"{name} {frac}: give 0 to {UNIT_FRAC} fraction bits")
        object.__setattr__(self, "frozen", tuple(sorted(set(self.frozen))))
        for index in self.frozen:
            if not 0 <= index < len(self.sizes) - 1:
                raise InputError(
                    f"there is no layer {index} to freeze; give 0 to {len(self.sizes) - 2}"
                )
        for layer in self.layers:
            if layer.z_shift < 0:
                raise InputError(
                    f"inputs with {layer.in_frac} fraction bits are too coarse for a layer with "
                    f"{layer.z_frac} fraction bits; raise input_frac or linear_frac"
                )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the parameters only: the cached layers hold functions, which cannot be pickled."""
        return Network, tuple(getattr(self, field.name) for field in fields(self))

    @property
    def hidden(self) -> tuple[str, ...]:
        """Activation name of each hidden layer."""
        if isinstance(self.activation, str):
            return (self.activation,) * (len(self.sizes) - 2)
        return self.activation

    @property
    def objective(self) -> Loss:
        """The loss, with its output activation."""
        return LOSSES[self.loss]

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers, first to last."""
        result = []
        in_frac = self.input_frac
        kinds = [ACTIVATIONS[name] for name in self.hidden] + [self.objective.output]
        shapes = zip(self.sizes, self.sizes[1:], kinds, strict=False)
        for index, (inputs, outputs, kind) in enumerate(shapes):
            z_frac = self.linear_frac if kind.z_frac < 0 else kind.z_frac
            out_frac = z_frac if kind.out_frac < 0 else kind.out_frac
            frozen = index in self.frozen
            result.append(Layer(inputs, outputs, kind, in_frac, z_frac, out_frac, frozen))
            in_frac = out_frac
        return tuple(result)

    @property
    def input_format(self) -> Format:
        """Format of the inputs."""
        return Format(VALUE_WIDTH, self.input_frac)

    @property
    def output_format(self) -> Format:
        """Format of the outputs and of the targets."""
        return Format(VALUE_WIDTH, self.layers[-1].out_frac)

    @property
    def error_frac(self) -> int:
        """Fraction bits of the output error, which is dL/dz without `Loss.scale`."""
        last = self.layers[-1]
        return last.out_frac + (last.activation.slope_frac - UNIT_FRAC) * self.objective.sloped

    @property
    def parameters(self) -> int:
        """Number of weights, biases included."""
        return sum(layer.rows * layer.outputs for layer in self.layers)

    def quantize_inputs(self, x: ArrayLike) -> NDArray[np.int64]:
        """Convert inputs (samples, sizes[0]) to integers.

        Raises
        ------
        InputError
            For another shape, NaN, or a number out of range.
        """
        return _matrix(self.input_format.quantize(x, "input"), self.sizes[0], "input")

    def quantize_targets(self, t: ArrayLike) -> NDArray[np.int64]:
        """Transform targets (samples, sizes[-1]) and convert them to integers.

        Raises
        ------
        InputError
            As for `quantize_inputs`.
        """
        wanted = self.objective.transformed(t)
        return _matrix(self.output_format.quantize(wanted, "target"), self.sizes[-1], "target")

    def predictions(self, outputs: ArrayLike) -> NDArray[np.float64]:
        """Convert integer outputs (samples, sizes[-1]) to predictions in the unit of targets."""
        return np.asarray(self.objective.inverse(self.output_format.real(outputs)))


def _matrix(array: NDArray[np.int64], width: int, what: str) -> NDArray[np.int64]:
    if array.ndim != 2 or array.shape[1] != width:
        raise InputError(f"{what}s have shape {array.shape}; the network takes (samples, {width})")
    return array


def parse_sizes(text: str) -> tuple[int, ...]:
    """Parse sizes such as ``64,32,10``; raises `InputError` for anything but integers."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"layers {text!r}: give whole numbers such as 64,32,10") from None


def check_shapes(network: Network, weights: Sequence[NDArray[np.int64]]) -> None:
    """Raise `InputError` unless the shapes of `weights` are those of the layers of `network`."""
    want = [(layer.rows, layer.outputs) for layer in network.layers]
    have = [np.shape(w) for w in weights]
    if have != want:
        raise InputError(f"weights have shapes {have}; the network needs {want}")


def check_master(network: Network, weights: Sequence[NDArray[np.int64]]) -> None:
    """Raise `InputError` unless `weights` fit `network` and are integers of `formats.MASTER`."""
    check_shapes(network, weights)
    limit = 1 << (MASTER.width - 1)
    for index, w in enumerate(weights):
        whole = np.issubdtype(w.dtype, np.integer)
        if not whole or w.min() < -limit or w.max() >= limit:
            raise InputError(
                f"weights of layer {index} are not integers of {MASTER.width} bits; "
                "exchange.Model.master_weights rounds real ones"
            )
