# SPDX-License-Identifier: BSD-2-Clause

"""The tutorial, in both languages: its code runs, and prints what the text shows."""

import re
from typing import Any

import pytest
from support.paths import DOCS
from support.snippets import run, snippets

pytestmark = pytest.mark.slow

PAGES = ("tutorial.md", "tutorial.es.md")


@pytest.mark.parametrize("page", PAGES)
def test_each_snippet_prints_what_the_page_shows(page: str) -> None:
    names: dict[str, Any] = {"__name__": page}
    for code, shown in snippets(DOCS / page):
        assert run(DOCS / page, code, names) == shown, f"{page}, after\n{code}"


def test_both_languages_show_the_same_code_and_output() -> None:
    english, spanish = (snippets(DOCS / page) for page in PAGES)
    assert len(english) > 10
    assert english == spanish


@pytest.mark.parametrize("page", PAGES)
def test_no_code_is_left_out(page: str) -> None:
    fences = re.findall(r"^```(\w+)$", (DOCS / page).read_text(), re.MULTILINE)
    found = snippets(DOCS / page)
    assert fences.count("python") == len(found)
    assert fences.count("text") == sum(bool(shown) for _, shown in found)
