"""The history file and the picture of the curves."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from dualgate.errors import MissingToolError
from dualgate.history import draw_curves, write_history
from dualgate.training import Record

RECORDS = [
    Record(1, 0.9, 0.5, 0.8, 0.6, 1000.0, None, 0.4, 0),
    Record(2, 0.5, 0.8, 0.6, 0.7, 1100.0, 12.5, 0.3, 2),
]


def test_the_history_is_one_json_line_an_epoch(tmp_path: Path) -> None:
    write_history(tmp_path / "h.jsonl", RECORDS)
    lines = (tmp_path / "h.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [asdict(record) for record in RECORDS]


def test_the_picture_is_a_png(tmp_path: Path) -> None:
    draw_curves(tmp_path / "c.png", RECORDS, "a title")
    assert (tmp_path / "c.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_a_word_and_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[plot\]$"):
        draw_curves(tmp_path / "c.png", RECORDS, "a title")
    assert list(tmp_path.iterdir()) == []
