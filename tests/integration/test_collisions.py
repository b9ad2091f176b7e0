# SPDX-License-Identifier: BSD-2-Clause

"""Block RAM need not return the old word where a read meets a write: no result depends on it."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from amaranth.back import rtlil
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from support.effort import examples
from support.random_networks import Case, cases, lengthen
from support.small_engines import MAX_LAYERS, MAX_WIDTH, assert_same_run, engine, open_both, prepare

import dualgate_hw.common.verilog
from dualgate_hw.build import yosys_script
from dualgate_hw.build.tools import find
from dualgate_sim.rtl import compiled

ENGINES = ("n2k2s", pytest.param("n2k2c2", marks=pytest.mark.thorough))
ODDS = st.sampled_from([0, 128])


@pytest.fixture(scope="module", params=ENGINES)
def colliding(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An engine whose memories answer a read that meets a write with ones; its name."""
    convert, to_verilog = rtlil.convert, dualgate_hw.common.verilog.to_verilog
    work = tmp_path_factory.mktemp("yosys")

    def freed(*arguments: Any, **options: Any) -> str:
        # The yosys that writes Verilog has none of these commands.
        (work / "before.il").write_text(convert(*arguments, **options))
        script = f"read_rtlil before.il\n{yosys_script.ALLOW_COLLISIONS}\nwrite_rtlil after.il\n"
        (work / "free.ys").write_text(script)
        find("yosys").run(["-q", "free.ys"], work, work / "log")
        return (work / "after.il").read_text()

    def ones(*arguments: Any) -> str:
        text, count = re.subn(r"<= \d+'hx+;", "<= '1;", to_verilog(*arguments))
        assert count > 10
        return text

    with pytest.MonkeyPatch.context() as patch:
        # Another content, so that it is kept beside the engine as it is.
        own = (*compiled.OWN, Path(__file__), Path(yosys_script.__file__))
        patch.setattr(compiled, "OWN", own)
        patch.setattr(dualgate_hw.common.verilog, "to_verilog", ones)
        patch.setattr(dualgate_hw.common.verilog, "rtlil", SimpleNamespace(convert=freed))
        compiled.build(engine(request.param))
        yield request.param


@examples(40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(MAX_LAYERS, MAX_WIDTH, batches=2), odds=st.tuples(ODDS, ODDS))
def test_reads_that_meet_a_write_change_no_bit(
    colliding: str, case: Case, odds: tuple[int, int]
) -> None:
    golden, sim = open_both(colliding)
    with golden, sim:
        longer = lengthen(case)
        prepare(golden, longer)
        prepare(sim, longer)
        sim._model_in_use.stall(1, *odds)
        assert_same_run(golden, sim, longer)
