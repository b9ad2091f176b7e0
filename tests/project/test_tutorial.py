# SPDX-License-Identifier: BSD-2-Clause

"""The tutorial, in both languages: its code runs, and prints what the text shows."""

import io
import re
from contextlib import redirect_stdout
from typing import Any

import pytest
from support.paths import DOCS

pytestmark = pytest.mark.slow

PAGES = {name: (DOCS / name).read_text() for name in ("tutorial.md", "tutorial.es.md")}
PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def snippets(page: str) -> list[tuple[str, str]]:
    """Each piece of code with the output that stands below it."""
    return PYTHON.findall(PAGES[page])


@pytest.mark.parametrize("page", PAGES)
def test_each_snippet_prints_what_the_page_shows(page: str) -> None:
    names: dict[str, Any] = {"__name__": page}
    for code, shown in snippets(page):
        line = PAGES[page][: PAGES[page].index(code)].count("\n")
        printed = io.StringIO()
        with redirect_stdout(printed):
            exec(compile("\n" * line + code, str(DOCS / page), "exec"), names)
        assert printed.getvalue() == shown, f"{page}, after line {line + 1}"


def test_both_languages_show_the_same_code_and_output() -> None:
    assert len(snippets("tutorial.md")) > 10
    assert snippets("tutorial.md") == snippets("tutorial.es.md")


@pytest.mark.parametrize("page", PAGES)
def test_no_code_is_left_out(page: str) -> None:
    fences = re.findall(r"^```(\w+)$", PAGES[page], re.MULTILINE)
    assert fences.count("python") == len(snippets(page))
    assert fences.count("text") == sum(bool(shown) for _, shown in snippets(page))
