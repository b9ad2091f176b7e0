# SPDX-License-Identifier: BSD-2-Clause

"""Hints: what the ranges and counts of a run say about it, and what to try."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.formats import MASTER
from ..contract.network import Layer, Network
from ..contract.settings import PRUNE_OFF, parse_prune, prune_name
from ..devices import Counters
from ..devices.inspection import Inspection
from ..train.recipe import Recipe
from .ranges import INPUTS, OUTPUTS, TARGETS, UPDATES, VELOCITY, WEIGHTS, Range

FEW_BITS = 6
"""Numbers that use no more bits than these are coarse: steps of 1 % or more."""

CLIPPED = 1e-3
"""Share of clipped pre-activations that is worth a hint."""

DEAD = 0.1
"""Share of a layer's units without a slope in any sample that is worth a hint."""

FLAT = 0.5
"""Share of flat slopes that is worth a hint."""

QUARTER = parse_prune("1/4")


@dataclass(frozen=True)
class Hint:
    """One thing that could be better.

    Parameters
    ----------
    layer : int or None
        Position of the layer, from 0; None if it concerns the run.
    what : str
        What is the case.
    attempt : str
        What to try.
    """

    layer: int | None
    what: str
    attempt: str

    @property
    def what_where(self) -> str:
        """What is the case, and in which layer."""
        return self.what if self.layer is None else f"layer {self.layer}: {self.what}"

    def __str__(self) -> str:
        return f"{self.what_where}; {self.attempt}"

    def plain(self) -> dict[str, Any]:
        """Return the hint for JSON: its layer, what is the case, what to try, and the line."""
        return {
            "layer": self.layer,
            "what": self.what,
            "try": self.attempt,
            "text": str(self),
        }


@dataclass(frozen=True)
class Facts:
    """What is known about a run.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    counters : Counters
        Counts of the whole run.
    trained : int
        Samples trained in the whole run.
    ranges : sequence of Range
    inspection : Inspection or None
        None where no golden model is installed, or for a quick look.
    """

    network: Network
    recipe: Recipe
    counters: Counters
    trained: int
    ranges: tuple[Range, ...]
    inspection: Inspection | None = None

    def of(self, what: str) -> Iterator[Range]:
        """Return the ranges of one kind of number."""
        return (found for found in self.ranges if found.what == what)

    def layer(self, index: int) -> Layer:
        """Return a layer of the network."""
        return self.network.layers[index]


Rule = Callable[[Facts], Iterator[Hint]]


def _clipped_updates(facts: Facts) -> Iterator[Hint]:
    count = facts.counters.saturated_updates
    if not count:
        return
    attempt = "lower --lr, or add --l2"
    if not facts.network.objective.classes:
        attempt = "lower --lr, and give targets of about unit size"
    yield Hint(None, f"{count:,} update scalars were clipped", attempt)


def _clipped_weights(facts: Facts) -> Iterator[Hint]:
    count = facts.counters.saturated_weights
    if not count:
        return
    full = [found for found in facts.of(VELOCITY) if found.spread.bits >= found.spread.width - 1]
    limit = f"+-{-MASTER.min:g}"
    if full and facts.recipe.momentum:
        yield Hint(None, f"{count:,} weights or velocities were clipped", "lower --momentum")
    else:
        yield Hint(
            None, f"{count:,} weights were clipped at {limit}", "add --l2 1e-4, or lower --lr"
        )


def _near_weights(facts: Facts) -> Iterator[Hint]:
    if facts.counters.saturated_weights:
        return
    for found in facts.of(WEIGHTS):
        if found.spread.bits >= MASTER.width - 1:
            half = -MASTER.min / 2
            limit = f"above {half:g}, the limit is {-MASTER.min:g}"
            yield Hint(found.layer, f"weights are {limit}", "add --l2 1e-4")


def _clipped_sums(facts: Facts) -> Iterator[Hint]:
    """Clipping harms units without bounds; bounded ones are flat there anyway."""
    layers = [i for i, n in enumerate(facts.network.layers) if n.activation.z_frac < 0]
    if facts.inspection is not None:
        for index in layers:
            sums = facts.inspection.layers[index].sums
            if sums.clipped > CLIPPED * sums.total:
                share = sums.clipped / sums.total
                yield Hint(
                    index, f"{share:.1%} of the pre-activations were clipped", _smaller(facts)
                )
        return
    units = sum(facts.layer(index).outputs for index in layers)
    count = facts.counters.saturated_values
    if layers and count > CLIPPED * units * facts.trained:
        yield Hint(None, f"{count:,} pre-activations were clipped", _smaller(facts))


def _smaller(facts: Facts) -> str:
    classes = facts.network.objective.classes
    return "lower --lr, or add --l2" if classes else "scale the targets down, or lower --lr"


def _coarse_outputs(facts: Facts) -> Iterator[Hint]:
    """Only outputs without bounds: a probability may well be small."""
    if facts.layer(-1).activation.out_frac >= 0:
        return
    targets = next(facts.of(TARGETS), None)
    for found in (*facts.of(OUTPUTS), *facts.of(TARGETS)):
        if found.spread.bits > FEW_BITS:
            continue
        if targets is not None and targets.spread.bits > FEW_BITS:
            attempt = "the targets are larger: train longer, or raise --lr"
        else:
            attempt = "give targets of about unit size"
        yield Hint(found.layer, found.use(), attempt)
        return


def _coarse_inputs(facts: Facts) -> Iterator[Hint]:
    for found in facts.of(INPUTS):
        if found.spread.bits <= FEW_BITS:
            yield Hint(None, found.use(), "scale the inputs to about unit size")


def _dead_units(facts: Facts) -> Iterator[Hint]:
    for index, layer in enumerate(facts.network.layers[:-1]):
        if facts.inspection is None or layer.activation.name != "relu":
            continue
        active = facts.inspection.layers[index].active
        dead = int(np.count_nonzero(active == 0))
        if dead > DEAD * len(active):
            yield Hint(
                index,
                f"{dead} of {len(active)} units are zero for every sample",
                "lower --lr, or try --activation leaky_relu",
            )


def _flat_slopes(facts: Facts) -> Iterator[Hint]:
    for index, layer in enumerate(facts.network.layers[:-1]):
        name = layer.activation.name
        if facts.inspection is None or name not in ("sigmoid", "tanh"):
            continue
        flat = facts.inspection.layers[index].flat
        if flat > FLAT:
            yield Hint(
                index,
                f"{flat:.0%} of the values are at the flat ends of {name}",
                "lower --lr, or add --l2",
            )


def _coarse_updates(facts: Facts) -> Iterator[Hint]:
    """Hidden layers learn nothing where derivatives vanish, though the outputs still err."""
    updates = {found.layer: found.spread.bits for found in facts.of(UPDATES)}
    last = len(facts.network.layers) - 1
    for found in facts.of(UPDATES):
        silent = found.layer == last or facts.layer(found.layer).frozen
        if not silent and found.spread.bits <= 2 and updates[last] > FEW_BITS:
            yield Hint(
                found.layer, found.use(), "use fewer layers, or --activation relu or leaky_relu"
            )


def _unpruned(facts: Facts) -> Iterator[Hint]:
    if facts.inspection is None or not facts.inspection.crossings:
        return
    prune, crossings = facts.recipe.prune, facts.inspection.crossings
    total = sum(crossing.nonzero for crossing in crossings)
    quarter = sum(crossing.share(QUARTER) * crossing.nonzero for crossing in crossings)
    if not total or quarter > 0.9 * total:
        return
    would = f"--prune {prune_name(QUARTER)} would keep {quarter / total:.0%} of them"
    if prune == PRUNE_OFF:
        yield Hint(None, "all derivatives are kept", f"{would}, and save cycles")
    elif all(crossing.share() > 0.99 for crossing in crossings):
        yield Hint(None, f"--prune {prune_name(prune)} drops almost nothing", would)


RULES: tuple[Rule, ...] = (
    _clipped_weights,
    _clipped_updates,
    _clipped_sums,
    _coarse_outputs,
    _coarse_inputs,
    _dead_units,
    _near_weights,
    _flat_slopes,
    _coarse_updates,
    _unpruned,
)
"""The most important first: wrong numbers, then coarse ones, then idle parts."""


def find_hints(facts: Facts) -> list[Hint]:
    """Apply every rule to the facts of a run.

    Returns
    -------
    list of Hint
        The most important first.
    """
    return [hint for rule in RULES for hint in rule(facts)]
