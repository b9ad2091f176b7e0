# SPDX-License-Identifier: BSD-2-Clause

"""The final figures of a run: a hint is at most one line, and JSON has them all."""

import json
from dataclasses import replace
from pathlib import Path

from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.data.answers import Answers
from dualgate.report.hints import Hint
from dualgate.report.summary import Summary
from dualgate.train.trainer import Trainer

HINTS = (Hint(1, "outputs use 1 of 16 bits", "try this"), Hint(None, "another thing", "try that"))
ANSWERS = Answers(("letter",), ("a", "b", "c"))


def summary() -> Summary:
    trainer = Trainer(NETWORK, replace(RECIPE, epochs=1), blobs())
    with golden() as device:
        list(trainer.run(device))
        evaluation = trainer.evaluate(device)
        return Summary.of("iris", "golden", trainer, device, evaluation, None, ANSWERS, HINTS)


def test_the_terminal_shows_the_first_hint_in_one_line(tmp_path: Path) -> None:
    found = summary()
    hints = [line for line in found.text().splitlines() if line.startswith("hint: ")]
    assert hints == ["hint: layer 1: outputs use 1 of 16 bits; try this"]
    assert "hint" not in replace(found, hints=()).text()


def test_the_file_has_every_hint_and_the_names_of_the_classes(tmp_path: Path) -> None:
    summary().write(tmp_path / "x.json")
    read = json.loads((tmp_path / "x.json").read_text())
    assert read["classes"] == ["a", "b", "c"]
    assert [hint["what"] for hint in read["hints"]] == [
        "outputs use 1 of 16 bits",
        "another thing",
    ]
    assert read["hints"][0]["layer"] == 1
    assert read["hints"][1]["try"] == "try that"
