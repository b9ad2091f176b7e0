# SPDX-License-Identifier: BSD-2-Clause

"""Views of waveforms: groups for each kind of engine."""

from dataclasses import replace

import pytest

from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate_hw.common.verilog import READABLE, WithoutReset, to_verilog
from dualgate_hw.engines import make_engine
from dualgate_sim.rtl.names import FRAME, Names, declared
from dualgate_sim.rtl.views import Group, groups

SMALL = EngineParameters(1, **dict.fromkeys(MEMORIES, 2))
LANES = ["loader", "value lane", "error unit", "tangent lanes", "update lane"]


def view(engine: EngineParameters) -> list[Group]:
    text = to_verilog(WithoutReset(make_engine(engine)), "engine", READABLE)
    return groups(Names(declared(text)), engine, FRAME)


@pytest.mark.slow
def test_each_core_has_the_same_groups() -> None:
    found = view(replace(SMALL, cores=2, arrays=1))
    titles = [f"core_{core} {lane}" for core in range(2) for lane in LANES]
    assert [group.title for group in found] == ["engine", *titles, "end of a batch"]
    first, second = found[1:6], found[6:11]
    for one, other in zip(first, second, strict=True):
        paths = [signal.path.replace("core_1", "core_0") for signal in other.signals]
        assert paths == [signal.path for signal in one.signals]


@pytest.mark.slow
def test_every_lane_shows_a_state_or_a_request() -> None:
    for group in view(SMALL)[1:]:
        names = {signal.path.rpartition(".")[2] for signal in group.signals}
        assert names & {"fsm_state", "mac__valid"}, group.title


@pytest.mark.slow
def test_a_compact_engine_shows_its_sequencer_and_units() -> None:
    found = view(replace(SMALL, neurons=4, compact=1, arrays=1))
    titles = ["engine", "sequencer", "dot product", "outer product", "row step"]
    assert [group.title for group in found] == titles
    for group in found[2:]:
        assert any(signal.path.endswith(".busy") for signal in group.signals)
