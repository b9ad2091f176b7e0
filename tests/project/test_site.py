# SPDX-License-Identifier: BSD-2-Clause

"""The documentation as a site: it builds without a warning, and a browser shows its text."""

import os
import subprocess
import sys
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path

import pytest
from filelock import FileLock
from support.browser import chromium, needs_browser
from support.paths import DOCS, ROOT

pytestmark = pytest.mark.thorough

pytest.importorskip("sphinx")


class Page(HTMLParser):
    """What a rendered page holds: text outside scripts and code, and the rows of each table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text = ""
        self.tables: list[int] = []
        self.headings: list[str] = []
        self._within: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "style", "pre", "code", "h1", "h2", "h3"):
            self._within.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.headings.append("")
        if tag == "table":
            self.tables.append(0)
        if tag == "tr":
            self.tables[-1] += 1

    def handle_endtag(self, tag: str) -> None:
        if self._within and self._within[-1] == tag:
            self._within.pop()

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "pre", "code"} & set(self._within):
            self.text += data
        if {"h1", "h2", "h3"} & set(self._within):
            self.headings[-1] += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; fails at the first warning.

    All processes of a session share one, since a build writes the pages of the API into the tree.
    """
    own = tmp_path_factory.getbasetemp()
    target = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "site"
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet"]
    places = ["--doctree-dir", str(target / "doctrees"), str(DOCS), str(target / "html")]
    with FileLock(f"{target}.lock"):
        if not (target / "built").exists():
            built = subprocess.run([*command, *places], cwd=ROOT, capture_output=True, text=True)
            assert built.returncode == 0, built.stderr
            (target / "built").touch()
    return target / "html"


def rendered(page: Path, profile: Path) -> Page:
    """A page as the browser has it after its scripts ran."""
    return Page(chromium(page.as_uri(), profile, "--dump-dom"))


def rows(page: Path) -> list[int]:
    """The rows of each table of a page in Markdown, its line of dashes not counted."""
    lines = page.read_text().splitlines()
    runs = groupby(lines, lambda line: line.lstrip().startswith("|"))
    return [len(list(run)) - 1 for is_table, run in runs if is_table]


@needs_browser
def test_the_index_has_text_and_links(site: Path, tmp_path: Path) -> None:
    page = rendered(site / "index.html", tmp_path)
    assert page.headings[0].startswith("dualgate")
    assert "forward-mode automatic differentiation" in page.text
    assert page.tables == rows(DOCS / "index.md")


@needs_browser
@pytest.mark.parametrize(
    "name",
    ["reference/numerics", "reference/protocol", "reference/boards", "explanation/performance"],
)
def test_tables_are_tables(name: str, site: Path, tmp_path: Path) -> None:
    page = rendered(site / f"{name}.html", tmp_path)
    assert page.tables == rows(DOCS / f"{name}.md")
    assert "| ---" not in page.text


@needs_browser
def test_the_command_line_has_every_command(site: Path, tmp_path: Path) -> None:
    page = rendered(site / "reference" / "command-line.html", tmp_path)
    headings = {heading.rstrip("¶") for heading in page.headings}
    assert {"bench", "boards", "build", "doctor", "program", "serve", "tasks", "train"} <= headings


@needs_browser
def test_a_component_shows_its_members(site: Path, tmp_path: Path) -> None:
    name = "dualgate_hw.lanes.tangent"
    page = rendered(site / "reference" / "api" / f"{name}.html", tmp_path)
    assert "Parameters:" in page.text
    assert "Members:" in page.text
    assert "`" not in page.text
