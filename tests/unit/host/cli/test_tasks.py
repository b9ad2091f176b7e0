# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate tasks`."""

import json

from click.testing import CliRunner

from dualgate.cli import main
from dualgate.tasks import TASKS


def test_every_task_has_a_row() -> None:
    result = CliRunner().invoke(main, ["tasks"])
    assert result.exit_code == 0
    heading, *lines = [line.split() for line in result.stdout.splitlines()]
    assert heading[:2] == ["task", "layers"]
    assert [line[0] for line in lines] == list(TASKS)
    digits = next(line for line in lines if line[0] == "digits")
    assert digits[1:4] == ["64-32-16-10", "tanh", "cce"]
    assert "accuracy >= 0.955" in " ".join(digits)


def test_the_list_has_the_settings() -> None:
    rows = json.loads(CliRunner().invoke(main, ["tasks", "--json"]).stdout)
    assert [row["task"] for row in rows] == list(TASKS)
    by_name = {row["task"]: row for row in rows}
    assert by_name["mnist"]["data"] == "--data DIR"
    assert by_name["linear"]["optimiser"] == "sgd"
    assert by_name["magnitudes"]["optimiser"] == "adam"
    assert by_name["digits"]["lr"] == TASKS["digits"].recipe.lr
