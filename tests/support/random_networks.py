# SPDX-License-Identifier: BSD-2-Clause

"""Hypothesis strategies: random networks, settings, weights and data as integers."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.errors import InputError
from dualgate.contract.formats import (
    APPLY_BIAS,
    MASTER_FRAC,
    MASTER_WIDTH,
    VALUE_WIDTH,
    VELOCITY_WIDTH,
)
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings, make_settings, update_frac
from dualgate.optim.initialisers import initial_master_weights
from dualgate.optim.regularisation import draw_masks

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@st.composite
def networks(draw: st.DrawFn, max_layers: int = 4, max_width: int = 12) -> Network:
    """A network of 1 to `max_layers` layers with any activations, loss and binary points."""
    count = 1 + draw(st.integers(1, max_layers))
    sizes = draw(st.lists(st.integers(1, max_width), min_size=count, max_size=count))
    hidden = tuple(draw(st.sampled_from(HIDDEN_ACTIVATIONS)) for _ in sizes[2:])
    name = draw(st.sampled_from(sorted(LOSSES)))
    frozen = tuple(draw(st.sets(st.integers(0, count - 2), max_size=2)))
    fracs = draw(st.one_of(st.just((12, 10)), st.tuples(st.integers(0, 14), st.integers(0, 14))))
    try:
        return Network(tuple(sizes), hidden, name, *fracs, frozen)
    except InputError:  # binary points that do not go together
        return Network(tuple(sizes), hidden, name, frozen=frozen)


@dataclass
class Case:
    """A network with everything it takes to train it for a few batches.

    Parameters
    ----------
    weights, velocity : list of int array (inputs + 1, outputs)
    batches : list of (x, target, Settings)
    masks : list of masks, or of None
        Of each batch; none where there are none at all.
    """

    network: Network
    update_frac: int
    neurons: int
    weights: list[Ints]
    velocity: list[Ints]
    batches: list[tuple[Ints, Ints, Settings]]
    masks: list[list[Bools] | None] = field(default_factory=list)

    def steps(self) -> Iterator[tuple[Ints, Ints, Settings, list[Bools] | None]]:
        """Each batch with its masks."""
        for batch, masks in zip_longest(self.batches, self.masks):
            yield *batch, masks


def _numbers(
    random: np.random.Generator, shape: tuple[int, ...], bits: int, reach: float, zeros: float
) -> Ints:
    """Signed numbers up to `reach` of the range; a share `zeros` of zeros, a few extremes."""
    limit = 1 << (bits - 1)
    x = np.floor(random.uniform(-reach, reach, shape) * limit).astype(np.int64)
    x = np.where(random.random(shape) < 0.03, random.choice([-limit, limit - 1], shape), x)
    x = np.where(random.random(shape) < zeros, 0, x)
    return np.asarray(np.clip(x, -limit, limit - 1))


@st.composite
def cases(draw: st.DrawFn, max_layers: int = 4, max_width: int = 12, batches: int = 3) -> Case:
    """Gentle to extreme: weights to +-8, inputs to the ends, rates that clip everything.

    The shape is drawn by hypothesis, so that it shrinks; the numbers come from a drawn seed.
    """
    network = draw(networks(max_layers, max_width))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    reach = draw(st.sampled_from([1.0, 0.1, 0.02]))
    shapes = [(layer.rows, layer.outputs) for layer in network.layers]
    weights = [_numbers(random, shape, MASTER_WIDTH, reach, 0.1) for shape in shapes]
    speed = draw(st.sampled_from([0.0, 0.001, 1.0]))
    room = (1 << (VELOCITY_WIDTH - 1)) - (1 << 34)  # what a few samples cannot overflow
    velocity = [
        np.clip(_numbers(random, shape, VELOCITY_WIDTH, speed, 0.3), -room, room) * (speed > 0)
        for shape in shapes
    ]
    fracs = [layer.in_frac for layer in network.layers]
    least = MASTER_FRAC - APPLY_BIAS - min(fracs)
    most = MASTER_FRAC - APPLY_BIAS + 62 - max(fracs)
    frac = draw(st.integers(least, least + 12) | st.integers(least, most))
    steps, masks = [], []
    for _ in range(draw(st.integers(1, batches))):
        samples = draw(st.integers(1, 3))
        near = draw(st.sampled_from([1.0, 0.2]))
        x = _numbers(random, (samples, network.sizes[0]), VALUE_WIDTH, near, 0.3)
        target = _numbers(random, (samples, network.sizes[-1]), VALUE_WIDTH, near, 0.3)
        masked = len(network.layers) > 1 and draw(st.booleans())
        settings = Settings(
            rate_mantissa=draw(st.integers(1 << 14, (1 << 15) - 1)),
            rate_shift=draw(st.one_of(st.integers(8, 20), st.integers(0, 63))),
            momentum=draw(st.one_of(st.just(0), st.integers(0, (1 << 15) - 1))),
            prune=draw(st.integers(1, PRUNE_OFF)),
            masked=masked,
        )
        steps.append((x, target, settings))
        rate = draw(st.sampled_from([0.1, 0.5, 0.9]))
        masks.append(draw_masks(network, rate, samples, random) if masked else None)
    neurons = draw(st.sampled_from([1, 2, 4, 8, 16]))
    return Case(network, frac, neurons, weights, velocity, steps, masks)


def gentle_case(
    network: Network,
    samples: int,
    batches: int,
    prune: int,
    seed: int,
    momentum: float = 0.9,
    dropout: float = 0.0,
) -> Case:
    """A case as a user would train it."""
    random = np.random.default_rng(seed)
    rate = 0.3
    frac = update_frac(network, rate, samples)
    chosen = make_settings(network, frac, rate, samples, momentum, prune, dropout > 0)
    weights = initial_master_weights(network, seed)
    steps = []
    for _ in range(batches):
        x = random.normal(size=(samples, network.sizes[0])) * (
            random.random((samples, network.sizes[0])) < 0.6
        )
        target = np.eye(network.sizes[-1])[random.integers(network.sizes[-1], size=samples)]
        steps.append((network.quantize_inputs(x), network.quantize_targets(target), chosen))
    masks = [
        draw_masks(network, dropout, samples, random) if dropout else None for _ in range(batches)
    ]
    return Case(network, frac, 0, weights, [np.zeros_like(w) for w in weights], steps, masks)


def lengthen(case: Case) -> Case:
    """The same with more samples a batch, so that each of an engine's contexts serves several."""

    def rolled(array: Any) -> Any:
        return np.concatenate([np.roll(array, by, axis=1) for by in range(4)])

    batches = [(rolled(x), rolled(target), chosen) for x, target, chosen in case.batches]
    masks = [each and [rolled(mask) for mask in each] for each in case.masks]
    return replace(case, batches=batches, masks=masks)
