# SPDX-License-Identifier: BSD-2-Clause

"""The C++ compiler: what is compiled together, at which level, and what is kept."""

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.processes import background, descendants, end, wait_until

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


def test_an_interrupted_compile_leaves_no_tool_running(
    tools: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "compiler"
    # A compiler's driver waits for a child, which has to end with it.
    script = (
        f"mktemp\nsleep 600 &\necho $! > {tmp_path}/new\nmv {tmp_path}/new {tmp_path}/pid\nwait\n"
    )
    compiler.write_text(f"#!/bin/sh\n{script}")
    compiler.chmod(0o755)
    slow = replace(tools, compiler=str(compiler))
    (tmp_path / "Va.cpp").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def interrupt_once_it_runs() -> None:
        while not (tmp_path / "pid").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGALRM)

    before = signal.signal(signal.SIGALRM, interrupt)
    threading.Thread(target=interrupt_once_it_runs, daemon=True).start()
    try:
        with pytest.raises(KeyboardInterrupt):
            slow.compile([tmp_path / "Va.cpp"], tmp_path)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert not (tmp_path / "cache").exists()
    assert len(list(tmp_path.glob("tmp.*"))) == 1
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 60
    while _runs(child):  # the system takes its time
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "tool"), [(signal.SIGINT, ""), (signal.SIGTERM, "cc1plus")], ids=["yosys", "c++"]
)
def test_a_command_interrupted_while_it_compiles_leaves_nothing(
    number: int, tool: str, tmp_path: Path
) -> None:
    cache, temporary = tmp_path / "cache", tmp_path / "temporary"
    temporary.mkdir()
    places = {"XDG_CACHE_HOME": str(cache), "TMPDIR": str(temporary)}
    args = ("train", "xor", "--device", "sim?neurons=1", "--out", str(tmp_path / "run"))
    with background(*args, env={**os.environ, **places}) as process:
        wait_until(lambda: any(tool in name for name in descendants(process)), process)
        status, _, error = end(process, number)
        assert descendants(process) == []
    assert (status, error.splitlines()[-1]) == (128 + number, "error: interrupted")
    assert list(temporary.iterdir()) == []
    assert {path.suffix for path in (cache / "dualgate").iterdir()} <= {".lock", ".o"}
    assert not (tmp_path / "run").exists()


def _runs(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
