# SPDX-License-Identifier: BSD-2-Clause

"""The description in a checkpoint: everything but its arrays, as JSON that is checked when read."""

from dataclasses import astuple, dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from ..contract.errors import CheckpointError
from ..contract.layout import check_update_frac
from ..contract.network import Network
from ..contract.values import Count, Real, Whole
from ..data.json_text import json_text
from ..devices import Counters
from .recipe import Recipe
from .record import Record, Tally

VERSION = 3
"""Version of the keys in the file and of their meaning."""

Checksum = Annotated[int, Meta(ge=0, lt=1 << 32)]


@dataclass(frozen=True)
class Description:
    """What a checkpoint says beside its arrays; the fields are the keys of the JSON.

    Parameters
    ----------
    version : int
    network, recipe, update_frac, epoch, batch, records, tally, counters, data
        See `checkpoint.Checkpoint`.
    batches : int
        Number of steps of an optimiser on the host.
    best : (int, float) or None
        Epoch and loss of the best state so far.
    """

    version: int
    network: Network
    recipe: Recipe
    update_frac: Whole
    epoch: Count
    batch: Count
    batches: Count
    records: tuple[Record, ...]
    tally: Tally
    counters: Counters
    data: Checksum
    best: tuple[Count, Real] | None

    def text(self) -> str:
        """Return the JSON, which `parse_description` reads."""
        return json_text(self)


class _Version(msgspec.Struct):
    version: int


def parse_description(text: str) -> Description:
    """Read the description of a checkpoint.

    Parameters
    ----------
    text : str
        JSON that `Description.text` returned; nothing else is accepted.

    Raises
    ------
    DualgateError
        For another version; a field that is missing, unknown, of another type or out of range; or
        fields that contradict each other.
    """
    try:
        version = msgspec.json.decode(text, type=_Version).version
        if version != VERSION:
            raise CheckpointError(f"it has version {version}, not {VERSION}")
        found = msgspec.json.decode(text, type=Description)
        # The types ignore unknown fields, and fields that are missing get their defaults.
        whole = msgspec.json.decode(found.text()) == msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise CheckpointError(f"its description is damaged: {error}") from None
    if not whole:
        raise CheckpointError(f"its description has other fields than those of version {VERSION}")
    check_update_frac(found.network, found.update_frac)
    _check_progress(found)
    _check_best(found)
    return found


def _check_progress(found: Description) -> None:
    """Raise `CheckpointError` for epochs, records and counts that contradict each other."""
    epoch, batch, epochs = found.epoch, found.batch, found.recipe.epochs
    if epoch + (batch > 0) > epochs:
        raise CheckpointError(f"it is {batch} batches past epoch {epoch}, the last being {epochs}")
    numbers = [record.epoch for record in found.records]
    if len(numbers) != epoch or numbers != list(range(1, epoch + 1)):
        raise CheckpointError(f"its records are not those of {epoch} finished epochs")
    tally = found.tally
    if not batch and (tally.loss, tally.right, tally.seconds) != (0.0, 0, 0.0):
        raise CheckpointError("it has a tally of an epoch that has not begun")
    counts = zip(astuple(tally.counters), astuple(found.counters), strict=True)
    if any(part > total for part, total in counts):
        raise CheckpointError("its tally counts more than the whole run")
    steps = found.batches
    if steps if found.recipe.on_chip else steps < epoch + batch:
        raise CheckpointError(f"its optimiser has made {steps} steps, which are not those of a run")


def _check_best(found: Description) -> None:
    """Raise `CheckpointError` unless there is a best state exactly where early stopping has one."""
    patience, best = found.recipe.patience, found.best
    if best is None:
        if patience and found.epoch:
            raise CheckpointError("it has early stopping, but no best state")
    elif not patience or best[0] > found.epoch:
        raise CheckpointError(f"it has a best state of epoch {best[0]}, which there was not")
