# SPDX-License-Identifier: BSD-2-Clause

"""Code in the documentation: each piece with what the page says it prints."""

import io
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

PYTHON = re.compile(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


def snippets(page: Path) -> list[tuple[str, str]]:
    """Each piece of code with the output that stands below it."""
    return PYTHON.findall(page.read_text())


def run(page: Path, code: str, names: dict[str, Any]) -> str:
    """Run a piece of a page in `names`; returns what it prints. Errors have the page's lines."""
    text = page.read_text()
    line = text[: text.index(code)].count("\n")
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile("\n" * line + code, str(page), "exec"), names)
    return printed.getvalue()
