# SPDX-License-Identifier: BSD-2-Clause

"""The how-to guides: their code runs, and does what the text says."""

from pathlib import Path
from typing import Any

import pytest
from support.paths import DOCS
from support.snippets import run, snippets

from dualgate import Trainer, open_device

GATEWARE = DOCS / "how-to" / "test-gateware.md"
EXCHANGE = DOCS / "how-to" / "exchange-networks.md"
TASK = DOCS / "how-to" / "add-a-task.md"
TRAINING = DOCS / "how-to" / "train-from-python.md"
ESTIMATORS = DOCS / "how-to" / "use-scikit-learn.md"


def test_the_test_of_gateware_passes() -> None:
    ((code, _),) = snippets(GATEWARE)
    names: dict[str, Any] = {}
    run(GATEWARE, code, names)
    (test,) = (thing for name, thing in names.items() if name.startswith("test_"))
    test()


def test_the_task_of_another_package_reaches_its_goal() -> None:
    ((code, _),) = snippets(TASK)
    names: dict[str, Any] = {}
    run(TASK, code, names)
    ((name, task),) = names["TASKS"].items()
    data = task.data(name, None)
    trainer = Trainer(task.network(name), task.recipe, data.train, data.held_out)
    with open_device("golden") as device:
        list(trainer.run(device))
        assert task.goal.met(trainer.evaluate(device))


@pytest.mark.thorough
def test_training_from_python_prints_what_the_page_shows() -> None:
    pytest.importorskip("sklearn")
    names: dict[str, Any] = {}
    for code, shown in snippets(TRAINING):
        assert run(TRAINING, code, names) == shown


@pytest.mark.slow
def test_the_tools_of_scikit_learn_print_what_the_page_shows() -> None:
    pytest.importorskip("sklearn")
    names: dict[str, Any] = {}
    for code, shown in snippets(ESTIMATORS):
        assert run(ESTIMATORS, code, names) == shown


@pytest.mark.slow
def test_the_code_of_exchanging_networks_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for code, _ in snippets(EXCHANGE):
        run(EXCHANGE, code, names)
    assert [path.name for path in tmp_path.iterdir()] == ["digits.h"]
    assert names["record"].epoch == 1
    assert names["master"][1].std() > 1.9 * names["model"].master_weights()[1].std()
