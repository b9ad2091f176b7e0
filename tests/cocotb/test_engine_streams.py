# SPDX-License-Identifier: BSD-2-Clause

"""Engines as Verilog, in cocotb: their two streams against the golden model."""

import re
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import runs
from conversations import ENGINES

from dualgate_hw.lanes.engine import Engine

HERE = Path(__file__).parent
STALLS = ("none", "random", "heavy")


def pairs(*levels: str) -> pytest.MarkDecorator:
    """Stalls of both streams; the thorough ones are of random stalls on one of them only."""
    return pytest.mark.parametrize(
        ("pause", "backpressure"),
        [
            pytest.param(*pair, marks=pytest.mark.thorough if pair.count("random") == 1 else ())
            for pair in product(levels, repeat=2)
        ],
    )


@dataclass(frozen=True)
class Bench:
    """A compiled engine.

    Parameters
    ----------
    engine : str
        Key of `ENGINES`.
    program : Path
        Directory of the simulator.
    """

    engine: str
    program: Path


@pytest.fixture(scope="module", params=ENGINES)
def bench(request: pytest.FixtureRequest) -> Bench:
    """Compile an engine, once for all tests."""
    engine = ENGINES[request.param]
    return Bench(request.param, runs.build(partial(Engine, engine), "engine", engine))


def run(bench: Bench, name: str, directory: Path) -> None:
    """Run one test of `engine_bench`; fails with what its report says."""
    only = f"^engine_bench\\.{re.escape(name)}$"
    plusargs = (f"+engine={bench.engine}",)
    runs.run(bench.program, "engine", "engine_bench", directory, only, plusargs=plusargs)


@pairs(*STALLS)
def test_every_response_is_the_golden_model_s_under_stalls(
    bench: Bench, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(bench, f"streams_under_stalls/pause={pause}/backpressure={backpressure}", tmp_path)


@pairs(*STALLS[:2])
def test_malformed_commands_get_a_status_and_change_nothing(
    bench: Bench, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(bench, f"mistakes_in_between/pause={pause}/backpressure={backpressure}", tmp_path)


def test_a_host_may_wait_for_each_response(bench: Bench, tmp_path: Path) -> None:
    run(bench, "a_command_at_a_time", tmp_path)


def test_a_reset_inside_a_command_starts_afresh(bench: Bench, tmp_path: Path) -> None:
    run(bench, "reset_inside_a_command", tmp_path)
