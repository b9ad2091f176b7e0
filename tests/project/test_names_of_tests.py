# SPDX-License-Identifier: BSD-2-Clause

"""Names of tests are claims of a length that a report shows."""

import ast

from support.paths import ROOT, TESTS

LONGEST = 60


def test_no_name_of_a_test_has_more_than_sixty_letters() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in sorted(TESTS.rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if len(node.name.removeprefix("test_")) > LONGEST
    ]
    assert long == []
