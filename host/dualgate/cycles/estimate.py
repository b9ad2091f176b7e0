# SPDX-License-Identifier: BSD-2-Clause

"""A closed-form estimate of cycles: for each sample, the needs of the engine's slowest part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.engine import Depths, EngineParameters
from ..contract.network import Network
from .activity import Activity, per_word
from .batch_end import batch_end_cycles
from .chunks import Chunks
from .plan import (
    ACTIVATION_CYCLES,
    DELTA_LATENCY,
    MAC_LATENCY,
    STORE_LATENCY,
    SUMS_LATENCY,
    UNIT_CYCLES,
    Plan,
)

Floats = NDArray[np.float64]

LAYER_CYCLES = 4
"""Cycles of a thread before a layer's first step: the fetch and the reader's latency, no waits."""

HAND_OVER = 4
"""Cycles without a step between a sample's last update step and the next sample's first."""

SCALER_LATENCY = 3
"""Cycles from a job of the scaler to its first request."""

PRUNE_CYCLES = 3
"""Cycles of the pruner for each word."""


@dataclass(frozen=True)
class Estimate:
    """A closed-form estimate of the cycles of a batch.

    Parameters
    ----------
    bounds : dict of str to float
        For each part, the fewest cycles that a sample takes in it; mean of the batch.
    pace : float
        Cycles a sample while all parts of a core work: the mean of each sample's largest bound.
    latency : float
        Cycles of a sample that has its core to itself; mean of the batch.
    batch_end : int
        Cycles of the batch's end.
    samples : int
    cores : int
    """

    bounds: dict[str, float]
    pace: float
    latency: float
    batch_end: int
    samples: int
    cores: int

    @property
    def cycles(self) -> float:
        """Cycles of the batch: `latency`, `pace` for each later sample of a core, `batch_end`."""
        following = -(-self.samples // self.cores) - 1
        return self.latency + following * self.pace + self.batch_end

    @property
    def cycles_per_sample(self) -> float:
        """Mean cycles a sample, including the batch's end."""
        return self.cycles / self.samples


def estimate(
    network: Network, engine: EngineParameters, activity: Activity, depths: Depths | None = None
) -> Estimate:
    """Estimate the cycles of a batch from a lower bound for each part.

    ============ ==========================================================================
    part         cycles a sample, at least
    ============ ==========================================================================
    dispatcher   the words of one sample for each core, at one beat a cycle
    loader       ``loads + outputs + 4``, with `Activity.loads`
    value        the steps: ``groups * (nonzeros + 1)`` for each layer
    activation   for each layer its units and 9; a group but the last of its layer takes N, but
                 at least 4
    threads      the first layer's steps, plus the time of the later layers (steps and waits)
                 divided by the number of threads, since the others work while one waits
    error        `Plan.error_pace`
    tangent      the issuer's time: ``groups`` for each seed, and for each word of a chunk its
                 kept entries or the pruner's 3 cycles, whichever is more; plus the scaler's
                 requests, which share the array with the issuer, times the share of the
                 issuer's time in which it requests the array
    seeds        3 for each layer but the last, 2 for the last, and ``4 + chunks * groups`` for
                 each word of slopes
    pruner       ``1 + 3 * words * groups`` for each chunk
    slots        the time of all chunks divided by the number of slots
    update       for each group its steps or its control cycles, whichever is more; plus 4
    shared       all requests; only with one array
    ============ ==========================================================================

    Parameters
    ----------
    network, engine, activity, depths
        As for `predict`.
    """
    plan = Plan(network, engine, depths or Depths())
    counts = (activity.inputs + 1).astype(np.float64)
    groups = np.array(plan.groups, np.float64)
    steps = counts * groups
    ring = _Ring(plan, activity)
    updates = [per_word(flags, engine.neurons) > 0 for flags in activity.updates]
    update_steps = sum(w.sum(axis=1) * counts[:, n] for n, w in enumerate(updates))
    waits = np.array([u[-1] + ACTIVATION_CYCLES + LAYER_CYCLES for u in plan.group_units])
    after_first = (steps + waits)[:, 1:].sum(axis=1)
    words = activity.loads + plan.outputs[-1]
    bounds: dict[str, NDArray[np.floating]] = {
        "dispatcher": engine.cores * np.ceil((words + 1.0) / engine.beat).astype(np.float64),
        "loader": words + 4.0,
        "value": steps.sum(axis=1),
        "activation": _constant(plan, activity, sum(map(_activation, plan.group_units))),
        "threads": steps[:, 0] + after_first / plan.depths.threads,
        "error": _constant(plan, activity, plan.error_pace),
        "tangent": ring.stepping + ring.scalings * ring.steps / np.maximum(ring.stepping, 1),
        "seeds": ring.seeds,
        "pruner": ring.pruning,
        "slots": ring.times / plan.depths.slots,
        "update": HAND_OVER + _update(counts, updates),
    }
    if engine.arrays == 1:
        bounds["shared"] = bounds["value"] + ring.steps + ring.scalings + update_steps
    value_time = steps[:, 0] + waits[0] + after_first
    tangent_time = np.maximum(bounds["tangent"], np.maximum(bounds["seeds"], bounds["slots"]))
    latency = value_time + plan.error_cycles + tangent_time + bounds["update"]
    return Estimate(
        bounds={name: float(bound.mean()) for name, bound in bounds.items()},
        pace=float(np.max(list(bounds.values()), axis=0).mean()),
        latency=float(latency.mean()),
        batch_end=batch_end_cycles(plan, activity),
        samples=activity.samples,
        cores=engine.cores,
    )


def _constant(plan: Plan, activity: Activity, cycles: int) -> Floats:
    return np.full(activity.samples, float(cycles))


def _activation(units: Sequence[int]) -> int:
    """Count the activation unit's cycles for a layer with these numbers of units in its groups."""
    return sum(max(MAC_LATENCY + 1, n) for n in units[:-1]) + units[-1] + UNIT_CYCLES


def _update(counts: Floats, updates: Sequence[NDArray[np.bool_]]) -> Floats:
    """Sum over all groups the steps or the control cycles, whichever are more.

    Control takes 4 cycles, 1 less in a group without steps, and 2 more in a layer's first group.
    """
    total = np.zeros(len(counts))
    for layer, wanted in enumerate(updates):
        control = np.full(wanted.shape, 4.0)
        control[:, 0] += 2
        walked = np.maximum(control, counts[:, layer, None])
        total += np.where(wanted, walked, control - 1).sum(axis=1)
    return total


class _Ring:
    """Total cycles and requests of the tangent lanes' parts; each array is (samples,)."""

    def __init__(self, plan: Plan, activity: Activity) -> None:
        neurons, lanes = plan.engine.neurons, plan.engine.tangent_lanes
        empty = np.zeros(activity.samples)
        self.steps, self.scalings, self.stepping = empty.copy(), empty.copy(), empty.copy()
        self.pruning, self.times = empty.copy(), empty.copy()
        self.seeds = empty + 2
        for layer, seeded in enumerate(activity.seeds):
            crossed = activity.crossings[layer]
            following = plan.groups[layer + 1]
            chunks = Chunks(seeded, neurons, lanes)
            count = seeded.sum(axis=1) * following
            self.steps += count
            self.stepping += count
            words = np.count_nonzero(chunks.sizes, axis=(1, 2)) * following
            self.seeds += 3 + 4 * plan.groups[layer] + words
            self.times += count
            for at, flags in enumerate(crossed.alive):
                entered = layer + 1 + at
                alive = chunks.any(flags)
                scalings = alive.sum(axis=1) * plan.groups[entered]
                self.scalings += scalings
                last = entered == plan.layers - 1
                latency = SUMS_LATENCY + SCALER_LATENCY
                latency += DELTA_LATENCY + plan.levels if last else STORE_LATENCY
                self.times += scalings + alive.sum(axis=1) * latency
                if not last:
                    kept = per_word(chunks.any(crossed.kept[at]), neurons)
                    self._kept(kept, plan.groups[entered + 1])

    def _kept(self, words: NDArray[np.int64], groups: int) -> None:
        vectors = words.any(axis=2)
        pruning = vectors.sum(axis=1) * (1.0 + PRUNE_CYCLES * words.shape[2] * groups)
        turns = np.maximum(words, PRUNE_CYCLES).sum(axis=2) * groups
        # After a vector's last entry the issuer is free at once, without the pruner's 3 cycles.
        turns += np.maximum(words[:, :, -1], 1) - np.maximum(words[:, :, -1], PRUNE_CYCLES)
        stepping = (turns * vectors).sum(axis=1)
        self.steps += words.sum(axis=(1, 2)) * groups
        self.pruning += pruning
        self.stepping += stepping
        self.times += np.maximum(stepping, pruning)
