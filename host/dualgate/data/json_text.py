# SPDX-License-Identifier: BSD-2-Clause

"""JSON (RFC 8259) of figures and descriptions: one way to write what other programs read."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .files import replace_file


def json_text(value: Any, indent: int | None = None) -> str:
    """Write a value as JSON; a number that is NaN or infinite, which JSON lacks, as null.

    Parameters
    ----------
    value
        Dataclasses, dicts, sequences, text and numbers, also of numpy. A path is its text.
    indent : int or None
        Spaces for each level; None for one line.

    Returns
    -------
    str
        ASCII, whatever the names in it; without a line break at its end.
    """
    return json.dumps(_plain(value), indent=indent, allow_nan=False)


def write_json(path: Path, value: Any) -> None:
    """Write a value as JSON to a file, all or nothing.

    Parameters
    ----------
    path : Path
    value
        As for `json_text`.

    Raises
    ------
    InputError
        If `path` cannot be written.
    """
    replace_file(path, (json_text(value, indent=2) + "\n").encode())


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, np.generic | np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
