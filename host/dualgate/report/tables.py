# SPDX-License-Identifier: BSD-2-Clause

"""Tables of a report: rows of text for the page's template."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract.formats import VALUE_WIDTH
from ..contract.settings import parse_prune, prune_name
from ..train.record import Record
from .content import Content
from .lanes import Lanes
from .progress import percent
from .ranges import TANGENTS, Range
from .words import layer_name, plural

SETTINGS = tuple(parse_prune(f"1/{1 << p}") for p in range(1, 6))
"""Pruning settings that a report compares."""

LANES = {
    "value": "multiplies inputs and weights",
    "tangent": "carries derivatives to the outputs, and scales them",
    "update": "adds inputs times update scalars to the velocities",
    "activation": "looks up values and slopes",
    "error": "takes the outputs, compares them with the targets",
    "loader": "takes samples from the host",
}
"""What each lane or part does."""


def record_table(records: Sequence[Record]) -> dict[str, Any]:
    """Return head and rows of the table of epochs."""
    head = (
        *("epoch", "loss", "accuracy", "held-out loss", "held-out accuracy"),
        *("cycles a sample", "tangents kept", "clipped", "samples/s"),
    )
    rows = [
        (
            str(r.epoch),
            f"{r.loss:.4f}",
            percent(r.accuracy),
            "-" if r.held_out_loss is None else f"{r.held_out_loss:.4f}",
            percent(r.held_out_accuracy),
            "-" if r.cycles_per_sample is None else f"{r.cycles_per_sample:,.1f}",
            percent(r.kept_fraction),
            f"{r.saturations:,}",
            f"{r.samples_per_s:,.0f}",
        )
        for r in records
    ]
    return {"head": head, "rows": rows}


def class_rows(content: Content) -> list[dict[str, str]]:
    """Return a row for each class: its recall and precision; empty without classes."""
    found = content.evaluation.confusion if content.evaluation else None
    if found is None:
        return []
    counts = np.asarray(found)
    named = len(content.classes) == len(counts)
    names = content.classes if named else tuple(map(str, range(len(counts))))
    rows = []
    for index, (name, row) in enumerate(zip(names, counts, strict=True)):
        wrong = np.where(np.arange(len(row)) == index, 0, row)
        worst = int(wrong.argmax())
        other = f"{names[worst]} ({wrong[worst]})" if wrong[worst] else "-"
        rows.append(
            {
                "name": name,
                "samples": f"{row.sum():,}",
                "recall": _share(row[index], row.sum()),
                "precision": _share(row[index], counts[:, index].sum()),
                "other": other,
            }
        )
    return rows


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"


@dataclass(frozen=True)
class CrossingTable:
    """What each pair of hidden layers keeps.

    Parameters
    ----------
    settings : tuple of str
        Pruning settings, at the head of their columns.
    rows : list of dict
        A row for each pair.
    """

    settings: tuple[str, ...]
    rows: list[dict[str, Any]]


def crossing_rows(content: Content) -> CrossingTable | None:
    """Return what each pair of layers keeps; None without an inspection."""
    seen = content.inspection
    if seen is None:
        return None
    rows = [
        {
            "tags": layer_name(content, crossing.tag_layer),
            "layer": f"layer {crossing.layer}",
            "entries": f"{crossing.nonzero / seen.samples:,.1f}",
            "kept": percent(crossing.share()) if crossing.nonzero else "-",
            "settings": [f"{crossing.share(p):.1%}" if crossing.nonzero else "-" for p in SETTINGS],
        }
        for crossing in seen.crossings
    ]
    return CrossingTable(tuple(prune_name(p) for p in SETTINGS), rows)


def lane_table(content: Content) -> dict[str, Any] | None:
    """Return the busy shares with their words; None if they are not known."""
    lanes = content.lanes
    if lanes is None:
        return None
    rows = [
        {
            "name": name,
            "width": f"{100 * share:.1f}",
            "predicted": f"{share:.1%}",
            "measured": f"{lanes.measured[name]:.1%}" if name in lanes.measured else "-",
            "about": LANES[name],
        }
        for name, share in lanes.predicted.items()
    ]
    rows.append(
        {
            "name": "end of the batch",
            "width": f"{100 * lanes.batch_end:.1f}",
            "predicted": f"{lanes.batch_end:.1%}",
            "measured": "-",
            "about": "moves all weights; the lanes wait",
        }
    )
    nonzero = [f"{share:.1%} of the {kind}" for kind, share in lanes.nonzero.items()]
    return {
        "about": _followed(content, lanes),
        "rows": rows,
        "measured": bool(lanes.measured),
        "nonzero": nonzero,
    }


def _followed(content: Content, lanes: Lanes) -> str:
    engine, records = lanes.engine, content.state.records
    text = (
        f"Predicted by the cycle model for a batch of {plural(lanes.samples, 'sample')} on an "
        f"engine of {plural(engine.neurons, 'neuron')}, {plural(engine.tangent_lanes, 'tangent')} "
        f"at a time, {plural(engine.cores, 'core')} and {plural(engine.arrays, 'MAC array')}: "
        f"{lanes.cycles_per_sample:,.1f} cycles a sample."
    )
    measured = records[-1].cycles_per_sample if records else None
    if measured is not None:
        text += f" Measured in the last epoch: {measured:,.1f}."
    if lanes.measured:
        text += " Measured shares are those of the whole run, inference included."
    return text


def range_rows(content: Content) -> list[dict[str, Any]]:
    """Return a row for each number format of each layer."""
    rows, before = [], None
    for found in content.ranges:
        rows.append(_range_row(content, found, found.layer != before))
        before = found.layer
    return rows


def _range_row(content: Content, found: Range, first: bool) -> dict[str, Any]:
    spread, shared = found.spread, found.what == TANGENTS
    limit = 2.0 ** (spread.width - 1 - spread.frac)
    shape = f"{spread.width} bits, "
    shape += "shared exponent" if shared else f"{spread.frac} after the point, ±{limit:.3g}"
    total = max(1, spread.total)
    # Formats of more bits than values have are cut at the lower end, which is one cell.
    extra = spread.width - VALUE_WIDTH
    counts = np.asarray(spread.counts)
    cells = [counts[0], *counts[extra + 1 : -2], counts[-2] + counts[-1]]
    cells[1] += counts[1 : extra + 1].sum()
    largest = max(1, max(cells))
    shares = [(int(count) / largest) ** 0.5 for count in cells]
    return {
        "first": first,
        "layer": layer_name(content, found.layer),
        "what": found.what,
        "format": shape,
        "cells": [f"{share:.2f}".rstrip("0").rstrip(".") for share in shares],
        "out": "1" if spread.clipped else "0",
        "label": found.use(),
        "bits": f"{spread.bits} of {spread.width}",
        "typical": str(spread.typical_bits),
        "below": "-" if shared else f"{spread.largest:.3g}",
        "zeros": f"{spread.zeros / total:.1%}",
        "clipped": f"{spread.clipped:,}" if found.counted else "-",
    }
