# SPDX-License-Identifier: BSD-2-Clause

"""The history file."""

import json
from dataclasses import asdict
from pathlib import Path

from dualgate.train.history import write_history
from dualgate.train.record import Record

RECORDS = [
    Record(1, 0.9, 0.5, 0.8, 0.6, 1000.0, None, 0.4, 0),
    Record(2, 0.5, 0.8, 0.6, 0.7, 1100.0, 12.5, 0.3, 2),
]


def test_the_history_is_one_json_line_an_epoch(tmp_path: Path) -> None:
    write_history(tmp_path / "h.jsonl", RECORDS)
    lines = (tmp_path / "h.jsonl").read_text().splitlines()
    expected = [{**asdict(record), "part_losses": []} for record in RECORDS]
    assert [json.loads(line) for line in lines] == expected
