# SPDX-License-Identifier: BSD-2-Clause

"""The how-to guides: their code runs, and does what the text says."""

from typing import Any

import pytest
from support.paths import DOCS
from support.snippets import run, snippets

GATEWARE = DOCS / "how-to" / "test-gateware.md"
TRAINING = DOCS / "how-to" / "train-from-python.md"


def test_the_test_of_gateware_passes() -> None:
    ((code, _),) = snippets(GATEWARE)
    names: dict[str, Any] = {}
    run(GATEWARE, code, names)
    (test,) = (thing for name, thing in names.items() if name.startswith("test_"))
    test()


@pytest.mark.thorough
def test_training_from_python_prints_what_the_page_shows() -> None:
    pytest.importorskip("sklearn")
    names: dict[str, Any] = {}
    for code, shown in snippets(TRAINING):
        assert run(TRAINING, code, names) == shown
