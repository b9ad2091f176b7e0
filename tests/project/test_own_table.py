# SPDX-License-Identifier: BSD-2-Clause

"""The guide to one's own table, in both languages: its commands run, and print what it shows."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.idx_files import write_images
from support.paths import DOCS
from support.snippets import run

from dualgate.cli import main

pytestmark = pytest.mark.slow

for package in ("pandas", "sklearn", "onnx"):
    pytest.importorskip(package)

PAGES = [DOCS / "how-to" / name for name in ("your-own-table.md", "your-own-table.es.md")]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: Path) -> list[tuple[str, str]]:
    """The kind and the content of each block of a page."""
    return BLOCK.findall(page.read_text())


def run_commands(lines: str) -> str:
    """Run commands, which must succeed; returns what they print."""
    printed = ""
    for line in lines.splitlines():
        name, *arguments = shlex.split(line)
        assert name == "dualgate"
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        printed += result.stdout
    return printed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_command_prints_what_the_page_shows(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_images(tmp_path / "letters", compressed=True)
    names: dict[str, Any] = {}
    printed = ""
    for kind, content in blocks(page):
        if kind == "python":
            run(page, content, names)
        elif kind == "sh":
            printed = run_commands(content)
        else:
            assert content.strip() in printed
    assert (tmp_path / "predictions.csv").read_text().startswith("quality,P(fair),P(good),P(poor)")
    assert (tmp_path / "wine.onnx").exists()
    assert (tmp_path / "wine.h").exists()
    runs = {path.name for path in (tmp_path / "runs").iterdir()}
    assert runs == {"wine", "wine-2", "sugar", "points", "inputs", "letters"}


def test_both_languages_show_the_same_blocks() -> None:
    english, spanish = map(blocks, PAGES)
    assert len(english) > 20
    assert english == spanish
