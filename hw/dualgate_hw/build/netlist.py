# SPDX-License-Identifier: BSD-2-Clause

"""Changes to a netlist between synthesis and placement; some come from files that users name."""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualgate.contract.errors import InputError, MissingToolError

Module = dict[str, Any]
"""A flat module as yosys writes it in JSON."""


@contextmanager
def rewritten(netlist: Path, top: str) -> Iterator[Module]:
    """Yield a module of a netlist to be changed, then write the file anew.

    Parameters
    ----------
    netlist : Path
        A file in yosys' JSON format.
    top : str
        Name of the module.
    """
    design = json.loads(netlist.read_text())
    yield design["modules"][top]
    netlist.write_text(json.dumps(design))


@dataclass(frozen=True)
class NetlistPass:
    """A change to a netlist that a Python file defines.

    Parameters
    ----------
    path : Path
        The file.
    rewrite : callable
        Its function of that name. It takes the module and the part's name, changes the module, and
        returns a line that says what it did.
    """

    path: Path
    rewrite: Callable[[Module, str], str]


def load_pass(path: Path) -> NetlistPass:
    """Load a netlist pass; its file may import others from its folder.

    Raises
    ------
    InputError
        When the file defines no function `rewrite`.
    MissingToolError
        When the file imports a package that is not installed.
    """
    name = f"netlist_pass_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(f"{path} is no netlist pass; give a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise MissingToolError(f"netlist pass {path}: {error}; install what it needs") from error
    finally:
        sys.path.pop(0)
    rewrite = getattr(module, "rewrite", None)
    if not callable(rewrite):
        raise InputError(f"{path} is no netlist pass; define rewrite(module, part) in it")
    return NetlistPass(path, rewrite)
