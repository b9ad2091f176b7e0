# SPDX-License-Identifier: BSD-2-Clause

"""The names that users import from the top of the package, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dualgate


@pytest.mark.parametrize("name", dualgate.__all__)
def test_each_exported_name_is_there_and_documented(name: str) -> None:
    assert (getattr(dualgate, name).__doc__ or "").strip()


def test_a_name_that_is_not_exported_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'dualgate' has no attribute 'Nonsense'$"):
        dualgate.Nonsense  # noqa: B018


def test_type_checkers_see_the_names_that_are_exported() -> None:
    (block,) = (
        node
        for node in ast.parse(Path(dualgate.__file__).read_text()).body
        if isinstance(node, ast.If)
    )
    seen = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"{home}.{name}" for name, home in dualgate._HOME_OF.items()}


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import sys; before = set(sys.modules); import dualgate; "
        "new = set(sys.modules) - before; "
        "print(sorted(m for m in new if m.split('.')[0] not in sys.stdlib_module_names))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=600
    )
    assert result.stdout == "['dualgate']\n"
