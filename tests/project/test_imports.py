# SPDX-License-Identifier: BSD-2-Clause

"""The import rule: gateware and simulation know the host, and never the other way."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

FORBIDDEN = {
    "host/dualgate": {"dualgate_hw", "dualgate_sim", "amaranth"},
    "hw/dualgate_hw": {"dualgate_sim"},
}


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_file_imports_what_its_package_must_not(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = {path.name: imported(path) & FORBIDDEN[package] for path in files}
    assert {name: found for name, found in wrong.items() if found} == {}


@pytest.mark.parametrize("root", ["hw", "host", "sim"])
def test_a_root_is_not_a_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()


def test_the_host_works_where_nothing_optional_is_installed() -> None:
    code = """
import sys
for name in ("amaranth", "dualgate_hw", "dualgate_sim", "sklearn", "matplotlib", "cocotb",
             "torch", "onnx", "safetensors"):
    sys.modules[name] = None
import pkgutil, importlib, dualgate
from dualgate.contract.errors import MissingToolError
for module in pkgutil.walk_packages(dualgate.__path__, "dualgate.", lambda package: None):
    try:
        importlib.import_module(module.name)
    except MissingToolError as error:
        print(f"{module.name}: {error}")
"""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        timeout=60,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert result.stdout == (
        "dualgate.estimator: the estimators are scikit-learn's, which is missing; "
        "pip install dualgate[data]\n"
    )
