# SPDX-License-Identifier: BSD-2-Clause

"""The history of a run: a file with one line of JSON for each epoch."""

from collections.abc import Sequence
from pathlib import Path

from ..data.files import replace_file
from ..data.json_text import json_text
from .record import Record


def write_history(path: Path, records: Sequence[Record]) -> None:
    """Write `records` to `path`: one line of JSON each, whose keys are the fields of `Record`."""
    lines = [json_text(record) + "\n" for record in records]
    replace_file(path, "".join(lines).encode())
