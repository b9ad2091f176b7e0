# SPDX-License-Identifier: BSD-2-Clause

"""Where the checkout's parts are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TESTS = ROOT / "tests"
REFERENCE = DOCS / "reference"
