# SPDX-License-Identifier: BSD-2-Clause

"""The figures of a report for machines: the content of one JSON object."""

from dataclasses import asdict
from typing import Any

from ..contract.settings import prune_name
from ..devices.inspection import Crossing
from .content import Content
from .origin import Origin
from .ranges import Range
from .tables import SETTINGS
from .words import settings


def plain(content: Content, origin: Origin) -> dict[str, Any]:
    """Return the figures of a report as text, numbers, lists and dicts.

    Parameters
    ----------
    content : Content
    origin : Origin
    """
    state, seen = content.state, content.inspection
    return {
        "name": origin.name,
        "settings": settings(content, origin),
        "command": origin.command(state),
        "classes": list(content.classes),
        "evaluation": None if content.evaluation is None else asdict(content.evaluation),
        "epochs": [asdict(record) for record in state.records],
        "counters": asdict(state.counters),
        "crossings": [] if seen is None else [_crossing(c) for c in seen.crossings],
        "lanes": None if content.lanes is None else asdict(content.lanes),
        "ranges": [_range(found) for found in content.ranges],
        "hints": [hint.plain() for hint in content.hints],
        "notes": list(content.notes),
    }


def _crossing(crossing: Crossing) -> dict[str, Any]:
    return {
        "tag_layer": crossing.tag_layer,
        "layer": crossing.layer,
        "nonzero": crossing.nonzero,
        "kept_fraction": crossing.share(),
        "kept_fraction_at": {prune_name(p): crossing.share(p) for p in SETTINGS},
        "kept": crossing.kept.tolist(),
    }


def _range(found: Range) -> dict[str, Any]:
    spread = found.spread
    return {
        "layer": found.layer,
        "numbers": found.what,
        "width": spread.width,
        "frac": spread.frac,
        "bits": spread.bits,
        "median_bits": spread.typical_bits,
        "by_bits": list(spread.counts),
        "clipped": spread.clipped if found.counted else None,
    }
