# SPDX-License-Identifier: BSD-2-Clause

"""The C++ compiler: what is compiled together, at which level, and what is kept."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dualgate.contract.errors import DeviceError
from dualgate_sim.rtl import cxx
from dualgate_sim.rtl.cxx import EVERY_CYCLE, ONCE, Toolchain


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The commands that are run, all of which succeed."""
    ran: list[list[str]] = []

    def run(command: list[Any], directory: Path) -> str:
        ran.append([str(word) for word in command])
        if "-o" in ran[-1]:
            Path(ran[-1][-1]).write_text("object")
        return "compiler 1"

    monkeypatch.setattr(cxx, "run", run)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return ran


@pytest.fixture
def tools(tmp_path: Path) -> Toolchain:
    include = tmp_path / "verilator" / "include"
    include.mkdir(parents=True)
    (include / "verilated.cpp").write_text("int first;\n")
    return Toolchain(tmp_path / "verilator", "perl", "c++")


def test_the_runtime_is_compiled_once_for_all_models(
    tools: Toolchain, commands: list[list[str]]
) -> None:
    first, again = tools.runtime("verilated"), tools.runtime("verilated")
    assert first == again
    assert sum("-c" in command for command in commands) == 1


def test_another_version_of_the_runtime_is_another_file(
    tools: Toolchain, commands: list[list[str]]
) -> None:
    before = tools.runtime("verilated")
    (tools.verilator / "include" / "verilated.cpp").write_text("int second;\n")
    assert tools.runtime("verilated") != before


def test_code_that_runs_once_is_not_optimised(
    tools: Toolchain, commands: list[list[str]], tmp_path: Path
) -> None:
    sources = [tmp_path / name for name in ("Va.cpp", "Va__0.cpp", "Va__0__Slow.cpp")]
    for source in sources:
        source.write_text("")
    assert len(tools.compile(sources, tmp_path)) == 2
    levels = {}
    for command in commands:
        unit = Path(command[command.index("-c") + 1])
        (levels[unit.read_text()],) = {EVERY_CYCLE, ONCE} & set(command)
    fast, slow = (
        "".join(f'#include "{s}"\n' for s in group) for group in (sources[:2], sources[2:])
    )
    assert levels == {fast: EVERY_CYCLE, slow: ONCE}


def test_sources_beyond_a_unit_s_size_are_compiled_apart(
    tools: Toolchain,
    commands: list[list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cxx, "UNIT_BYTES", 10)
    sources = [tmp_path / f"Va__{number}.cpp" for number in range(4)]
    for source in sources:
        source.write_text("// six")
    assert len(tools.compile(sources, tmp_path)) == 2


def test_a_failing_tool_is_quoted_where_no_log_can_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DeviceError, match=r"^sh failed while compiling the RTL: no space$"):
        cxx.run(["sh", "-c", "echo no space >&2; exit 1"], tmp_path)


def test_an_interrupted_compile_leaves_no_tool_running(
    tools: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "compiler"
    # A compiler's driver waits for a child, which has to end with it.
    script = f"mktemp\nsleep 60 &\necho $! > {tmp_path}/pid\nwait\n"
    compiler.write_text(f"#!/bin/sh\n{script}")
    compiler.chmod(0o755)
    slow = replace(tools, compiler=str(compiler))
    (tmp_path / "Va.cpp").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            slow.compile([tmp_path / "Va.cpp"], tmp_path)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not (tmp_path / "cache").exists()
    assert len(list(tmp_path.glob("tmp.*"))) == 1
    child = int((tmp_path / "pid").read_text())
    assert not Path(f"/proc/{child}").exists() or "Z" in _state(child)


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
