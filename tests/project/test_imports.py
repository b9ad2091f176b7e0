# SPDX-License-Identifier: BSD-2-Clause

"""The import rules: the host knows no gateware, rooms stand on floors, there are no circles."""

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib.util import resolve_name
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


HOST_FLOORS = (
    {"contract"},
    {"data", "optim", "link", "cycles"},
    {"devices"},
    {"train"},
    {"floating", "tasks"},
    {"runs"},
    {"exchange", "report", "bench"},
    {"estimator"},
    {"cli"},
)
"""Rooms of the host's package from the ground up. A room imports only from floors below its own."""

GATEWARE_FLOORS = (
    {"common"},
    {"lanes", "compact"},
    {"engines"},
    {"link"},
    {"boards", "identity"},
    {"build"},
    {"cli"},
)
"""Rooms of the gateware's package; `engines` and `identity` are single files."""

FLOORS = {"host/dualgate": HOST_FLOORS, "hw/dualgate_hw": GATEWARE_FLOORS}
ROOTS = ("host/dualgate", "hw/dualgate_hw", "sim/dualgate_sim")


def module_name(path: Path) -> str:
    """A file's dotted name, without its package's ``__init__``."""
    parts = path.relative_to(ROOT).with_suffix("").parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def arrows(package: str) -> dict[str, set[str]]:
    """For each module of a package, the modules of that package that it imports at its top."""
    files = {module_name(path): path for path in sorted((ROOT / package).rglob("*.py"))}
    result: dict[str, set[str]] = {}
    for name, path in files.items():
        parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
        result[name] = set()
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, ast.ImportFrom):
                continue
            dotted = "." * node.level + (node.module or "")
            full = resolve_name(dotted, parent) if node.level else dotted
            for alias in node.names:
                target = f"{full}.{alias.name}" if f"{full}.{alias.name}" in files else full
                if target in files and target != name:
                    result[name].add(target)
    return result


@pytest.mark.parametrize("package", ROOTS)
def test_no_file_imports_in_a_circle(package: str) -> None:
    found = arrows(package)
    assert any(found.values())
    TopologicalSorter(found).prepare()


@pytest.mark.parametrize("package", FLOORS)
def test_a_room_imports_only_from_floors_below(package: str) -> None:
    floor_of = {room: n for n, rooms in enumerate(FLOORS[package]) for room in rooms}
    wrong = []
    for name, targets in arrows(package).items():
        room = (*name.split("."), "")[1]
        for target in targets:
            other = (*target.split("."), "")[1]
            inside = room == other or not room or not other
            if not inside and floor_of[room] <= floor_of[other]:
                wrong.append(f"{name} -> {target}")
    assert wrong == []


@pytest.mark.parametrize("package", FLOORS)
def test_every_room_has_its_floor(package: str) -> None:
    rooms = {name.split(".")[1] for name in arrows(package) if "." in name}
    assert rooms == set().union(*FLOORS[package])


@pytest.mark.parametrize("root", ["hw", "host", "sim"])
def test_a_root_is_not_a_package(root: str) -> None:
    assert not (ROOT / root / "__init__.py").exists()


def test_the_host_works_where_nothing_optional_is_installed() -> None:
    code = """
import sys
for name in ("amaranth", "dualgate_hw", "dualgate_sim", "sklearn", "matplotlib", "cocotb",
             "torch", "onnx", "safetensors", "jinja2", "tensorboardX"):
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
        timeout=600,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert result.stdout == (
        "dualgate.estimator: the estimators need scikit-learn, which is missing; "
        "pip install dualgate[data]\n"
    )
