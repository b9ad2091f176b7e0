# SPDX-License-Identifier: BSD-2-Clause

"""The documentation names files that exist, and links to pages and sections that exist."""

import re
from pathlib import Path

import pytest
from support.paths import DOCS, ROOT

LOG = DOCS / "log"
"""Entries name files as they were on their day."""

PAGES = [ROOT / "README.md", *(page for page in DOCS.rglob("*.md") if page.parent != LOG)]
IN_PAGES = {str(page.relative_to(ROOT)): page for page in PAGES}

CODE = re.compile(r"`([^`\s]+)`")
ROOTS = ("host", "hw", "sim", "tests", "docs", "constraints", "tools", "examples")


def named(text: str) -> list[str]:
    """Paths from the checkout's root that a page has in backticks."""
    found = CODE.findall(text)
    return [name for name in found if name.partition("/")[0] in ROOTS and "/" in name]


def in_tables(text: str) -> list[str]:
    """Files that a table lists by their names in the folder that its heading states."""
    found: list[str] = []
    folder = None
    for line in text.splitlines():
        if not line.startswith("|"):
            folder = None
        elif heading := re.search(r"(?:file|stated) in `([^`]+)`", line):
            folder = heading[1]
        elif folder is not None:
            names = CODE.findall(line)
            found += [f"{folder}/{name}" for name in names if re.fullmatch(r"[\w/]+\.py", name)]
    return found


@pytest.mark.parametrize("page", IN_PAGES)
def test_every_file_that_a_page_names_exists(page: str) -> None:
    text = IN_PAGES[page].read_text()
    missing = [name for name in named(text) + in_tables(text) if not (ROOT / name).exists()]
    assert missing == []


@pytest.mark.parametrize("page", IN_PAGES)
def test_a_name_is_in_the_file_that_a_page_gives_for_it(page: str) -> None:
    text = " ".join(IN_PAGES[page].read_text().split())
    pairs = re.findall(r"`([\w.]+)` in `((?:host|hw|sim|tests)/[^`]+\.py)`", text)
    wrong = [pair for pair in pairs if pair[0].split(".")[-1] not in (ROOT / pair[1]).read_text()]
    assert wrong == []


def test_pages_name_many_files() -> None:
    text = (DOCS / "explanation" / "architecture.md").read_text()
    assert len(named(text)) > 30
    assert len(in_tables(text)) > 10


def test_the_readme_links_to_what_exists() -> None:
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text())
    local = [link for link in links if "://" not in link]
    assert len(local) > 10
    assert [link for link in local if not Path(ROOT / link).exists()] == []
