# SPDX-License-Identifier: BSD-2-Clause

"""The API reference: a page of it, as make docs builds them."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import DOCS

pytestmark = pytest.mark.slow

TEMPLATES = DOCS / "api"

pytest.importorskip("pdoc")


def test_a_page_lists_parameters_and_members(tmp_path: Path) -> None:
    code = f"""
import pdoc
from pathlib import Path
pdoc.render.configure(docformat="numpy", template_directory=Path({str(TEMPLATES)!r}))
pdoc.pdoc("dualgate.estimator", output_directory=Path({str(tmp_path)!r}))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    page = (tmp_path / "dualgate" / "estimator.html").read_text()
    assert '<h6 id="parameters">Parameters</h6>' in page
    assert '<h6 id="attributes">Attributes</h6>\n\n<ul>' in page
    assert "::</p>" not in page
    assert "<p>:" not in page
