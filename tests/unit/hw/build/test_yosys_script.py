# SPDX-License-Identifier: BSD-2-Clause

"""Yosys commands after reading: memories by their attributes, and names with indices."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from amaranth import Module
from amaranth.back import rtlil
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out
from support.benches import small_shapes
from support.netlists import synthesise

from dualgate.contract.engine import MEMORIES, Depths, EngineParameters
from dualgate.contract.errors import DeviceError
from dualgate.contract.network import Network
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.tools import find
from dualgate_hw.build.yosys_script import after_read
from dualgate_hw.common.memory_attributes import FEW_WORDS, UNINITIALISED
from dualgate_hw.engines import make_engine
from dualgate_hw.lanes.core import Core

pytestmark = pytest.mark.slow


def prepared(directory: Path, design: str, family: str) -> str:
    """The design as text after the commands."""
    (directory / "top.il").write_text(design)
    script = f"read_rtlil top.il\n{after_read(FAMILIES[family])}\nwrite_rtlil after.il\n"
    (directory / "top.ys").write_text(script)
    find("yosys").run(["-q", "top.ys"], directory, directory / "log")
    return (directory / "after.il").read_text()


class Store(wiring.Component):
    """Memories with an initial word of 7, each with an attribute or none."""

    def __init__(self, attributes: Iterable[dict[str, int]], domain: str = "sync") -> None:
        self.attributes = list(attributes)
        self.domain = domain
        super().__init__({"address": In(4), "write": In(1), "read": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for number, attributes in enumerate(self.attributes):
            store = memory.Memory(shape=8, depth=16, init=[7] * 16, attrs=attributes)
            m.submodules[f"memory_{number}"] = store
            write, read = store.write_port(), store.read_port(domain=self.domain)
            m.d.comb += [write.en.eq(self.write), write.addr.eq(self.address)]
            m.d.comb += [read.addr.eq(self.address), self.read.eq(read.data)]
        return m


class Two(wiring.Component):
    """A component with an uninitialised memory beside one without the attribute."""

    def __init__(self) -> None:
        super().__init__({"address": In(4), "write": In(1), "first": Out(8), "second": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, attributes, found in (
            ("bare", {UNINITIALISED: 1}, self.first),
            ("filled", {}, self.second),
        ):
            m.submodules[name] = store = Store([attributes])
            m.d.comb += [store.address.eq(self.address), store.write.eq(self.write)]
            m.d.comb += found.eq(store.read)
        return m


def text(component: wiring.Component) -> str:
    return rtlil.convert(component, name="top", emit_src=False)


def test_only_memories_with_the_attribute_lose_their_contents(tmp_path: Path) -> None:
    before = text(Two())
    after = prepared(tmp_path, before, "ice40")
    assert before.count("cell $meminit_v2") == 2
    assert after.count("cell $meminit_v2") == 1
    module = after[after.index("module \\top.filled") :]
    assert "cell $meminit_v2" in module[: module.index("\nend\n")]


def test_a_memory_beside_an_uninitialised_one_stops_the_build(tmp_path: Path) -> None:
    store = Store([{UNINITIALISED: 1}, {}])
    with pytest.raises(DeviceError, match="Assertion failed: selection is not empty"):
        prepared(tmp_path, text(store), "ice40")


@pytest.mark.parametrize(("domain", "mask"), [("sync", "1"), ("comb", "0")])
def test_only_clocked_ports_may_collide(domain: str, mask: str, tmp_path: Path) -> None:
    after = prepared(tmp_path, text(Store([{}], domain)), "ecp5")
    (port,) = (line for line in after.splitlines() if "COLLISION_X_MASK" in line)
    assert set(port.partition("'")[2]) == {mask}


def test_few_words_ask_for_luts_where_luts_can_be_memories(tmp_path: Path) -> None:
    design = text(Core(small_shapes(2)))
    assert design.count(f"attribute \\{FEW_WORDS} 1") == 1
    wish = 'attribute \\ram_style "distributed"'
    assert prepared(tmp_path, design, "ecp5").count(wish) == 1
    # The iCE40 has no such LUTs, and its synthesis stops where it is asked for them.
    assert wish not in prepared(tmp_path, design, "ice40")


# The output depends on bit 1 of one signal, and on bit 0 of another whose name is `right[1]`.
INDEXED = r"""
module \top
  wire width 2 input 1 \first
  wire width 2 input 2 \second
  wire width 2 \right
  wire width 2 \right[1]
  wire output 3 \both
  cell $and $1
    parameter \A_SIGNED 0
    parameter \A_WIDTH 1
    parameter \B_SIGNED 0
    parameter \B_WIDTH 1
    parameter \Y_WIDTH 1
    connect \A \right [1]
    connect \B \right[1] [0]
    connect \Y \both
  end
  connect \right \first
  connect \right[1] \second
end
"""


def test_synthesis_keeps_an_entry_and_a_bit_apart(tmp_path: Path) -> None:
    top: Any = synthesise(tmp_path, INDEXED, "ecp5")
    (lut,) = (cell for cell in top["cells"].values() if cell["type"] == "LUT4")
    looked_at = {bit for pin in "ABCD" for bit in lut["connections"][pin] if isinstance(bit, int)}
    ports = top["ports"]
    assert looked_at == {ports["first"]["bits"][1], ports["second"]["bits"][0]}


def test_indices_leave_the_names_of_signals(tmp_path: Path) -> None:
    after = prepared(tmp_path, INDEXED, "ice40")
    assert r"wire width 2 \right_1_" in after
    assert r"connect \A \right [1]" in after
    assert r"connect \B \right_1_ [0]" in after


def test_a_port_with_an_index_stops_the_build(tmp_path: Path) -> None:
    design = INDEXED.replace("wire width 2 \\right[1]", "wire width 2 input 4 \\right[1]")
    with pytest.raises(DeviceError, match="Assertion failed: selection is not empty"):
        prepared(tmp_path, design, "ecp5")


@pytest.mark.parametrize(("compact", "family"), [(0, "ecp5"), (1, "ice40"), (1, "gowin")])
def test_the_engines_pass_the_checks_of_the_script(
    compact: int, family: str, tmp_path: Path
) -> None:
    sizes = dict.fromkeys(MEMORIES, 1) | {"compact": compact, "arrays": 1 if compact else 3}
    engine = EngineParameters(neurons=4, **sizes).grown(Network((3, 4, 2)))
    after = prepared(tmp_path, text(make_engine(engine, Depths())), family)
    assert len(re.findall(r"attribute \\uninitialised", after)) == compact
    assert not re.search(r"wire .*\\\S*\[", after)
