# SPDX-License-Identifier: BSD-2-Clause

"""The build identity: it covers whatever the gateware is made from, and follows each change."""

import ast
import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from dualgate.contract.engine import Depths, EngineParameters
from dualgate_hw import identity
from dualgate_hw.identity import build_identity, sources
from dualgate_sim.rtl.compiled import content_hash

ENGINE = EngineParameters()
ROOTS = (
    "dualgate_hw.engines",
    "dualgate_hw.common.verilog",
    "dualgate_hw.link.serial.engine",
    "dualgate_hw.link.pcie.engine",
    "dualgate_hw.boards",
)


def imports(module: str, path: Path) -> set[str]:
    """Modules of the project that a file imports, wherever in it, packages on the way included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            full = importlib.util.resolve_name(name, package) if node.level else name
            found |= {full, *(f"{full}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.partition(".")[0] in ("dualgate", "dualgate_hw")}


def file_of(module: str) -> Path | None:
    """The file of a module; None where the name is not a module's."""
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def reached(*roots: str) -> set[Path]:
    """Every file that importing these modules reads."""
    seen: dict[str, Path | None] = {}
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen[module] = path = file_of(module)
            if path is not None:
                waiting += imports(module, path)
    return {path for path in seen.values() if path is not None}


def test_it_covers_every_file_that_gateware_imports() -> None:
    found = reached(*ROOTS)
    assert len(found) > 60
    # Importing a package reads its __init__.py, which says nothing about gateware.
    beyond = {path for path in found - set(sources()) if path.name != "__init__.py"}
    assert beyond == set()


def test_it_covers_a_folder_that_is_not_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for folder in ("lanes", "lanes/later", "build"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "part.py").write_text("")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(identity.dualgate_hw, "__file__", str(tmp_path / "__init__.py"))
    found = {
        path.relative_to(tmp_path).as_posix() for path in sources() if tmp_path in path.parents
    }
    assert found == {"__init__.py", "lanes/part.py", "lanes/later/part.py"}


def test_it_follows_parameters_depths_and_further_files(tmp_path: Path) -> None:
    file = tmp_path / "harness.cpp"
    file.write_text("one")
    first = build_identity(ENGINE, Depths(), files=[file])
    file.write_text("other")
    others = [
        build_identity(ENGINE, Depths(), files=[file]),
        build_identity(replace(ENGINE, neurons=8), Depths(), files=[file]),
        build_identity(ENGINE, Depths(contexts=9), files=[file]),
    ]
    assert len(first) == 32
    assert len({first, *others}) == 4
    assert others[0] == build_identity(EngineParameters(), Depths(), files=[file])


@pytest.mark.parametrize("what", ["contexts: int = 8", "neurons: Whole = 16"])
def test_a_changed_default_changes_simulator_and_bitstream(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    engine = next(p for p in sources() if p.parts[-2:] == ("contract", "engine.py"))
    before = (build_identity(), content_hash(ENGINE, Depths(), False))
    read = Path.read_bytes

    def changed(path: Path) -> bytes:
        content = read(path)
        if path != engine:
            return content
        assert what.encode() in content
        return content.replace(what.encode(), what.encode() + b"0")

    monkeypatch.setattr(Path, "read_bytes", changed)
    after = (build_identity(), content_hash(ENGINE, Depths(), False))
    assert all(a != b for a, b in zip(before, after, strict=True))
