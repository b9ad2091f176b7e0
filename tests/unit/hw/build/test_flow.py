# SPDX-License-Identifier: BSD-2-Clause

"""The steps of a build: what stops it, what it leaves, what it takes from the cache."""

from pathlib import Path

import pytest
from support.build_results import BOARD, result

from dualgate_hw.build import flow
from dualgate_hw.build.cache import Cache
from dualgate_hw.build.job import Build
from dualgate_hw.build.netlist import NetlistPass
from dualgate_hw.build.result import Result
from dualgate_hw.build.utilisation import Utilisation


def test_a_build_that_does_not_fit_leaves_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(flow, "write_sources", lambda job, identity: {})
    monkeypatch.setattr(flow, "synthesise", lambda *parts: Utilisation(99_999, 0, 0, 0))
    (tmp_path / "top.il").write_text("module \\top\nend\n")
    found = flow.run(Build(BOARD, BOARD.engine, tmp_path, (1,), print))
    left = Result.from_json((tmp_path / "result.json").read_text())
    assert left == found
    assert (left.utilisation.luts, left.timing) == (99_999, ())
    assert left.problem.startswith("99999 LUTs needed, the LFE5U-25F has 24288")
    assert not (tmp_path / "cache").exists()


def test_a_build_is_taken_from_the_cache_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Build, "identity", lambda self, tools: bytes.fromhex("ab" * 32))
    kept = Cache("ab" * 32, (1,)).path
    kept.mkdir(parents=True)
    (kept / "result.json").write_text(result().to_json())
    said: list[str] = []
    found = flow.run(Build(BOARD, BOARD.engine, tmp_path / "out", (1,), said.append))
    assert found == result()
    assert said == [f"ulx3s-25f: built before, taken from {kept}"]


def test_a_build_with_a_pass_is_not_taken_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Build, "identity", lambda self, tools: bytes(32))
    monkeypatch.setattr(Cache, "restore", lambda *parts: pytest.fail("looked into the cache"))
    monkeypatch.setattr(Cache, "keep", lambda *parts: pytest.fail("kept the build"))
    monkeypatch.setattr(flow, "_build", lambda *parts: result())
    some = NetlistPass(tmp_path / "some.py", lambda module, part: "")
    assert flow.run(Build(BOARD, BOARD.engine, tmp_path, (1,), print, (some,))) == result()


def test_an_unknown_warning_of_synthesis_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "write_sources", lambda job, identity: {})
    monkeypatch.setattr(flow, "synthesise", lambda *parts: result().utilisation)
    monkeypatch.setattr(flow, "misfit", lambda *parts: "")
    (tmp_path / "top.rpt").write_text("Warning: something new.\n")
    said: list[str] = []
    found = flow.run(Build(BOARD, BOARD.engine, tmp_path, (1,), said.append))
    assert found.problem == f"warning: something new., see {tmp_path / 'top.rpt'}"
    assert said == ["ulx3s-25f: warning: something new."]


def test_an_unknown_warning_of_a_placement_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Build(BOARD, BOARD.engine, tmp_path, (1, 2), print)
    monkeypatch.setattr(flow, "place", lambda *parts: result().timing)
    monkeypatch.setattr(flow, "pack", lambda *parts: "cd" * 32)
    for name in ("top_1.tim", "pack.log"):
        (tmp_path / name).touch()
    (tmp_path / "top_2.tim").write_text("Warning: something new.\n")
    found = flow._implement(job, {}, {}, result(timing=()))
    assert found.problem.startswith("warning: something new., see ")
    assert found.timing == result().timing
