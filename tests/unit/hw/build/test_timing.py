# SPDX-License-Identifier: BSD-2-Clause

"""Reports of place and route are read."""

import json
from pathlib import Path

from dualgate_hw.build.timing import Timing, part_of, read_timing


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
