# SPDX-License-Identifier: BSD-2-Clause

"""A netlist is changed as a whole or not at all."""

import json
from pathlib import Path

import pytest

from dualgate_hw.build.netlist import rewritten

MODULES = {"top": {"cells": {"a": 1}}, "LUT4": {"cells": {}}}


def test_a_changed_module_is_written(tmp_path: Path) -> None:
    path = tmp_path / "top.json"
    path.write_text(json.dumps({"modules": MODULES}))
    with rewritten(path, "top") as module:
        module["cells"]["b"] = 2
    assert json.loads(path.read_text()) == {
        "modules": {"top": {"cells": {"a": 1, "b": 2}}, "LUT4": {"cells": {}}}
    }


def test_a_change_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "top.json"
    path.write_text(before := json.dumps({"modules": MODULES}))
    with pytest.raises(KeyError), rewritten(path, "top") as module:
        module["cells"]["b"] = module["cells"].pop("a") + module["cells"]["c"]
    assert path.read_text() == before
