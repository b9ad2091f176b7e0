# SPDX-License-Identifier: BSD-2-Clause

"""The nonzero numbers of a batch, computed by the golden model for the cycle model."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.commands import Masks
from dualgate.contract.engine import EngineParameters
from dualgate.contract.network import Network, check_shapes
from dualgate.contract.sample_commands import mask_words
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.cycles.activity import Activity, Crossings, load_cycles

from . import model as golden
from .exact import Bools, Floats, Tally
from .tangents import tag_updates

Ints = NDArray[np.int64]


def activity(
    network: Network,
    weights: Sequence[Ints],
    settings: Settings,
    x: Ints,
    target: Ints,
    masks: Masks | None = None,
    velocity: Sequence[Ints] | None = None,
) -> Activity:
    """Run a batch through the golden model and record which numbers are nonzero.

    Parameters
    ----------
    network : Network
    weights : sequence of int array (inputs + 1, outputs)
        Master weights at the beginning of the batch.
    settings : Settings
    x : int array (samples, inputs)
    target : int array (samples, outputs)
    masks : sequence of bool array (samples, units) or None
        As for `Device.train`.
    velocity : sequence of int array (inputs + 1, outputs) or None
        Velocities at the beginning of the batch; None if the host wrote velocities or descriptors
        since the batch before, see `Activity.moving`.
    """
    check_shapes(network, weights)
    read = golden.mac_weights(weights)
    # Only the counts of rows depend on the engine, and they are not used here.
    engine, tally = EngineParameters(), Tally()
    done = golden.forward(network, read, x, engine, tally, masks)
    update = golden.output_updates(network, settings, done, target, tally)
    crossings, updates = [], []
    for tag_layer in range(len(network.layers) - 1):
        seen: list[Bools] = []
        updates.append(
            tag_updates(network, read, settings, done, update, tag_layer, engine, tally, seen)
        )
        crossings.append(Crossings(tuple(seen[0::2]), tuple(seen[1::2])))
    updated = tuple(
        (u != 0) & (not layer.frozen)
        for u, layer in zip((*updates, update), network.layers, strict=True)
    )
    return Activity(
        inputs=np.stack([np.count_nonzero(a, axis=1) for a in done.inputs], axis=1),
        seeds=tuple(
            (slope != 0) & (not layer.frozen)
            for slope, layer in zip(done.slopes[:-1], network.layers, strict=False)
        ),
        crossings=tuple(crossings),
        updates=updated,
        loads=load_cycles(x) + (0 if masks is None else mask_words(network)),
        masked=masks is not None,
        pruned=settings.prune != PRUNE_OFF,
        moving=None if velocity is None else _moving(velocity, done.inputs, updated),
    )


def _moving(
    velocity: Sequence[Ints], inputs: Sequence[Floats], updates: Sequence[Bools]
) -> tuple[Bools, ...]:
    """Flag the weights that had a velocity, or that an update of any sample reached."""
    found = []
    for v, a, u in zip(velocity, inputs, updates, strict=True):
        reached = np.column_stack((a != 0, np.ones(len(a), np.bool_)))
        found.append((v != 0) | (reached.T.astype(np.float64) @ u.astype(np.float64) > 0))
    return tuple(found)
