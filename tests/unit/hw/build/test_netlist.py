# SPDX-License-Identifier: BSD-2-Clause

"""A netlist is changed as a whole or not at all, also by files that users name."""

import json
from pathlib import Path

import pytest

from dualgate.contract.errors import InputError, MissingToolError
from dualgate_hw.build.netlist import load_pass, rewritten

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


def test_a_pass_is_a_file_that_may_import_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_a_pass.py").write_text("NAME = 'new'\n")
    path = tmp_path / "some.py"
    path.write_text(
        "from neighbour_of_a_pass import NAME\n"
        "def rewrite(module, part):\n"
        "    module['cells'][NAME] = part\n"
        "    return 'one cell more'\n"
    )
    module = {"cells": {}}
    assert load_pass(path).rewrite(module, "LFE5U-25F") == "one cell more"
    assert module == {"cells": {"new": "LFE5U-25F"}}


@pytest.mark.parametrize(
    ("name", "text", "kind", "message"),
    [
        ("some.py", "", InputError, r"some\.py is no netlist pass; define rewrite\("),
        ("some.txt", "", InputError, r"some\.txt is no netlist pass; give a Python file"),
        ("some.py", "import not_there", MissingToolError, r"some\.py: No module named 'not_there'"),
    ],
)
def test_a_file_that_is_no_pass_is_refused(
    name: str, text: str, kind: type[Exception], message: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(kind, match=message):
        load_pass(path)
