# SPDX-License-Identifier: BSD-2-Clause

"""The content of a report: everything that the page shows, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ..contract.engine import EngineParameters
from ..contract.errors import FitError, MissingToolError
from ..contract.network import Network
from ..contract.settings import Settings
from ..data import Dataset, Samples
from ..data.quantized import QuantizedSamples
from ..devices import open_device
from ..devices.inspection import Inspection
from ..devices.models import find_inspector, find_measure
from ..train.chance import draw_dropout
from ..train.checkpoint import Checkpoint
from ..train.evaluation import Evaluation
from ..train.weight_update import weight_update
from .hints import Facts, Hint, find_hints
from .lanes import Lanes, find_lanes
from .ranges import Range, in_order, inspected_ranges, stored_ranges

MOST_SAMPLES = 1024
"""Largest number of training samples whose numbers are looked at."""

MOST_INSPECTED = 256
"""Largest number of them that the golden model runs."""

MOST_ENTRIES = 1 << 23
"""Largest number of tangent entries that are inspected at a time, 64 MB as float64."""


@dataclass(frozen=True)
class Content:
    """What a report shows.

    Parameters
    ----------
    state : Checkpoint
    classes, columns : tuple of str
        Names of the classes and of the inputs; empty if they have none.
    trained : int
        Samples in an epoch.
    held_out : int
        Held-out samples.
    evaluation : Evaluation or None
        Of the held-out samples, with the final weights.
    ranges : tuple of Range
    inspection : Inspection or None
    lanes : Lanes or None
    hints : tuple of Hint
    notes : tuple of str
        What is left out, and why.
    """

    state: Checkpoint
    classes: tuple[str, ...]
    columns: tuple[str, ...]
    trained: int
    held_out: int
    evaluation: Evaluation | None
    ranges: tuple[Range, ...]
    inspection: Inspection | None
    lanes: Lanes | None
    hints: tuple[Hint, ...]
    notes: tuple[str, ...]


def quick_hints(state: Checkpoint, train: Samples) -> list[Hint]:
    """Find the hints that weights, counters and samples give, without running the network.

    Parameters
    ----------
    state : Checkpoint
    train : Samples
        The training samples.

    Returns
    -------
    list of Hint
        The most important first.
    """
    return find_hints(_facts(state, len(train.x), stored_ranges(state, _some(state, train)), None))


def find_content(
    state: Checkpoint,
    dataset: Dataset,
    classes: Sequence[str] = (),
    columns: Sequence[str] = (),
    engine: EngineParameters | None = None,
) -> Content:
    """Collect the content of a report from the end of a run.

    Parameters
    ----------
    state : Checkpoint
    dataset : Dataset
        The samples of the run.
    classes, columns : sequence of str
        Names of classes and inputs, if they have names.
    engine : EngineParameters or None
        Engine whose lanes are looked at; by default that of the simulated hardware.

    Raises
    ------
    InputError
        For samples that do not fit the network.
    """
    notes: list[str] = []
    train = dataset.train
    samples = _some(state, train)
    ranges = stored_ranges(state, samples)
    evaluation, inspection, lanes = None, None, None
    try:
        evaluation = _evaluate(state, dataset.held_out)
        inspection = _inspect(state, train, samples)
        ranges += inspected_ranges(inspection)
        lanes = _lanes(state, train, samples, engine or EngineParameters())
        if lanes is None:
            notes.append("no shares of lanes: a compact engine has none")
    except MissingToolError as error:
        notes.append(f"no golden model, so nothing is shown that needs one ({error})")
    except FitError as error:
        notes.append(f"no shares of lanes: {error}")
    return Content(
        state,
        tuple(classes),
        tuple(columns),
        len(train.x),
        len(dataset.held_out.x),
        evaluation,
        tuple(in_order(ranges)),
        inspection,
        lanes,
        tuple(find_hints(_facts(state, len(train.x), ranges, inspection))),
        tuple(notes),
    )


def _facts(
    state: Checkpoint, samples: int, ranges: Sequence[Range], inspection: Inspection | None
) -> Facts:
    trained = samples * max(1, state.epoch)
    return Facts(state.network, state.recipe, state.counters, trained, tuple(ranges), inspection)


def _some(state: Checkpoint, samples: Samples) -> QuantizedSamples:
    """Draw some of the samples, which may be sorted by class, and quantise them."""
    random = np.random.default_rng(state.recipe.seed)
    chosen = random.permutation(len(samples.x))[:MOST_SAMPLES]
    return QuantizedSamples(state.network, Samples(samples.x[chosen], samples.target[chosen]))


def _evaluate(state: Checkpoint, samples: Samples) -> Evaluation:
    with open_device("golden") as golden:
        return Evaluation.of(state.network, samples, state.infer(golden, samples.x))


def _settings(state: Checkpoint, samples: int) -> Settings:
    """Make the settings of the batch before the checkpoint."""
    recipe = state.recipe
    batches = recipe.batches(samples)
    sizes = {-(-samples // batches), samples // batches}
    update = weight_update(state.network, recipe, batches, sizes)
    number = max(0, state.epoch * batches + state.batch - 1)
    return update.settings(number, max(sizes))


def _masks(state: Checkpoint, samples: int) -> list[NDArray[np.bool_]] | None:
    return draw_dropout(state.network, state.recipe, state.epoch, state.batch, samples)


def _bounded(network: Network, samples: int) -> int:
    """Return how many of the samples the golden model runs at a time."""
    sizes = network.sizes[1:]
    widest = max((a * b for a, b in pairwise(sizes)), default=1)
    return min(samples, MOST_INSPECTED, max(1, MOST_ENTRIES // widest))


def _inspect(state: Checkpoint, train: Samples, samples: QuantizedSamples) -> Inspection:
    count = _bounded(state.network, len(samples))
    return find_inspector()(
        state.network,
        state.weights,
        _settings(state, len(train.x)),
        state.update_frac,
        samples.x[:count],
        samples.target[:count],
        _masks(state, count),
    )


def _lanes(
    state: Checkpoint, train: Samples, samples: QuantizedSamples, engine: EngineParameters
) -> Lanes | None:
    network = state.network
    count = _bounded(network, min(len(samples), state.recipe.batch))
    activity = find_measure()(
        network,
        state.weights,
        _settings(state, len(train.x)),
        samples.x[:count],
        samples.target[:count],
        _masks(state, count),
        # The host writes velocities in each batch where it moves the weights.
        state.velocity if state.recipe.on_chip else None,
    )
    return find_lanes(network, engine.grown(network), activity, state.counters)
