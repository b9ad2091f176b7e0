# SPDX-License-Identifier: BSD-2-Clause

"""Changes to a netlist between its synthesis and its placement."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Cells = dict[str, dict[str, Any]]
"""By name, as yosys writes them."""


@contextmanager
def rewritten(netlist: Path, top: str) -> Iterator[dict[str, Any]]:
    """A module of a netlist, to be changed; the file is written anew afterwards.

    Parameters
    ----------
    netlist : Path
        As yosys writes it.
    top : str
        The module.
    """
    design = json.loads(netlist.read_text())
    yield design["modules"][top]
    netlist.write_text(json.dumps(design))
