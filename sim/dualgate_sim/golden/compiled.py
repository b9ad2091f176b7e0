# SPDX-License-Identifier: BSD-2-Clause

"""The golden model compiled: builds the C++ in `kernel` once for each machine, and calls it."""

import ctypes
import hashlib
import os
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from dualgate.contract import formats
from dualgate.contract.activations import EXP_TABLE, SOFTMAX, Activation
from dualgate.contract.commands import Masks
from dualgate.contract.errors import DeviceError
from dualgate.contract.formats import APPLY_BIAS
from dualgate.contract.layout import Layout
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.data.directories import cache_directory, workspace

from ..rtl.cache import absent, keep
from ..rtl.cxx import need
from ..rtl.tools import run
from .arithmetic import Arithmetic
from .exact import HALF_RANGE, Ints, Tally
from .tangents import DELTA_SHIFT_MAX, DELTA_SHIFT_MIN

KERNEL = Path(__file__).with_name("kernel")
"""Directory of its sources; `entry.cpp` is where to begin reading."""

LANES = 8
"""Rows of weights are padded to a multiple of this number of units."""

CONSTANTS = {
    "LANES": LANES,
    "PRUNE_OFF": PRUNE_OFF,
    "DELTA_SHIFT_MIN": DELTA_SHIFT_MIN,
    "DELTA_SHIFT_MAX": DELTA_SHIFT_MAX,
    **{
        name: getattr(formats, name)
        for name in (
            *("VALUE_WIDTH", "UNIT_FRAC", "WEIGHT_FRAC", "MASTER_WIDTH"),
            *("MOMENTUM_FRAC", "VELOCITY_KEPT_WIDTH"),
        )
    },
}

FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fPIC", "-fwrapv"),
    # Every number is an exact integer, never NaN: the compiler may use vectors for maxima and sums.
    *("-fno-math-errno", "-fno-trapping-math", "-ffinite-math-only", "-fno-signed-zeros"),
    "-fassociative-math",
    *(f"-D{name}={value}" for name, value in CONSTANTS.items()),
)


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("inputs", "outputs", "stride", "z_shift", "one")),
        *((name, ctypes.c_int64) for name in ("slope_frac", "groups", "frozen", "softmax")),
        *((name, ctypes.c_void_p) for name in ("weights", "rule", "velocity")),
    ]


class _Settings(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int64) for name in ("rate_mantissa", "rate_shift", "prune", "sloped")),
        *((name, ctypes.c_int64) for name in ("neurons", "tangent_lanes")),
        ("powers", ctypes.c_void_p),
        *((name, ctypes.c_int64) for name in ("last_power", "index_shift")),
    ]


class _Tally(ctypes.Structure):
    _fields_ = [(field.name, ctypes.c_int64) for field in fields(Tally)]


@cache
def library() -> ctypes.CDLL:
    """Compile the kernel for this machine's processor, unless that was done before, and load it.

    It takes two seconds, once.

    Raises
    ------
    MissingToolError
        When there is no C++ compiler.
    DeviceError
        When the compiler fails, or what it made cannot be loaded.
    InputError
        When the cache cannot be written.
    """
    compiler = need("g++", "clang++", "c++")
    # The compiler's own macros name its version, and the processor's instructions.
    macros = run([compiler, *FLAGS, "-dM", "-E", "-x", "c++", os.devnull], KERNEL)
    digest = hashlib.sha256(f"{FLAGS}{macros}".encode())
    for path in sorted(KERNEL.iterdir()):
        digest.update(path.read_bytes())
    target = cache_directory() / f"golden-{digest.hexdigest()[:16]}.so"
    with absent(target) as needed:
        if needed:
            with workspace() as work:
                made = work / "golden.so"
                sources = sorted(KERNEL.glob("*.cpp"))
                run([compiler, *FLAGS, "-shared", *sources, "-o", made], work, "the golden model")
                keep(made, target)
    try:
        loaded = ctypes.CDLL(str(target))
    except OSError as error:
        raise DeviceError(f"the compiled golden model cannot be loaded: {error}") from None
    loaded.open_memory.restype = ctypes.c_void_p
    return loaded


@cache
def _rule(activation: Activation) -> NDArray[np.int16]:
    """Tabulate value and slope of every pre-activation, (2**16, 2)."""
    pairs = activation.rule(np.arange(-HALF_RANGE, HALF_RANGE))
    return np.stack(pairs, axis=1).astype(np.int16, order="C")


class CompiledArithmetic(Arithmetic):
    """The compiled kernel, on whole batches; raises as `library` does.

    Parameters
    ----------
    layout, tally
        As for `Arithmetic`.
    """

    def __init__(self, layout: Layout, tally: Tally) -> None:
        self._library = library()
        self._memory = ctypes.c_void_p(self._library.open_memory())
        finalize(self, self._library.close_memory, self._memory)
        network = layout.network
        self._strides = [-(-layer.outputs // LANES) * LANES for layer in network.layers]
        self._read = [
            np.zeros((layer.rows, stride), np.float32)
            for layer, stride in zip(network.layers, self._strides, strict=True)
        ]
        self._powers = np.array((*EXP_TABLE, 0), np.int32)
        super().__init__(layout, tally)
        self._layers = (_Layer * len(network.layers))(*map(self._layer, range(len(self._read))))

    def _layer(self, index: int) -> _Layer:
        layout = self._layout
        layer = layout.network.layers[index]
        softmax = layer.activation is SOFTMAX
        return _Layer(
            inputs=layer.inputs,
            outputs=layer.outputs,
            stride=self._strides[index],
            z_shift=layer.z_shift,
            one=layer.one,
            slope_frac=layer.activation.slope_frac,
            groups=layout.engine.groups_of(layer),
            frozen=layer.frozen,
            softmax=softmax,
            weights=self._read[index].ctypes.data,
            rule=None if softmax else _rule(layer.activation).ctypes.data,
            velocity=self.velocity[index].ctypes.data,
        )

    def write_weights(self, weights: Sequence[Ints]) -> None:
        super().write_weights(weights)
        for read, master in zip(self._read, self.weights, strict=True):
            read[:, : master.shape[1]] = master >> (formats.MASTER_WIDTH - formats.VALUE_WIDTH)

    def train(self, settings: Settings, x: Ints, target: Ints, masks: Masks | None) -> Ints:
        return self._run(settings, x, target, masks)

    def infer(self, x: Ints) -> Ints:
        return self._run(Settings(0, 0), x, None, None)

    def _run(self, settings: Settings, x: Ints, target: Ints | None, masks: Masks | None) -> Ints:
        network, engine, counts = self._layout.network, self._layout.engine, _Tally()
        given = _Settings(
            settings.rate_mantissa,
            settings.rate_shift,
            settings.prune,
            network.objective.sloped,
            engine.neurons,
            engine.tangent_lanes,
            self._powers.ctypes.data,
            len(EXP_TABLE),
            SOFTMAX.index_shift,
        )
        outputs = np.empty((len(x), network.sizes[-1]), np.int64)
        x = np.ascontiguousarray(x, np.int64)
        wanted = None if target is None else np.ascontiguousarray(target, np.int64)
        chosen = [np.ascontiguousarray(mask, np.bool_) for mask in masks or ()]
        self._library.run(
            self._memory,
            self._layers,
            ctypes.c_int64(len(self._layers)),
            ctypes.byref(given),
            ctypes.byref(counts),
            ctypes.c_void_p(x.ctypes.data),
            None if wanted is None else ctypes.c_void_p(wanted.ctypes.data),
            (ctypes.c_void_p * len(chosen))(*(m.ctypes.data for m in chosen)) if chosen else None,
            ctypes.c_int64(len(x)),
            ctypes.c_void_p(outputs.ctypes.data),
        )
        self._count(counts)
        return outputs

    def apply(self, momentum: int) -> None:
        counts = _Tally()
        for index, descriptor in enumerate(self._layout.descriptors):
            self._library.apply(
                ctypes.byref(self._layers[index]),
                ctypes.c_void_p(self.weights[index].ctypes.data),
                ctypes.c_void_p(self._read[index].ctypes.data),
                ctypes.c_int64(descriptor["apply_shift"]),
                ctypes.c_int64(APPLY_BIAS),
                ctypes.c_int64(momentum),
                ctypes.byref(counts),
            )
        self._count(counts)

    def _count(self, counts: _Tally) -> None:
        for field in fields(Tally):
            total = getattr(self._tally, field.name) + getattr(counts, field.name)
            setattr(self._tally, field.name, total)
