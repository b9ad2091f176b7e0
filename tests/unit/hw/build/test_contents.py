# SPDX-License-Identifier: BSD-2-Clause

"""First contents that a memory does without (bitstream/contents.py)."""

from amaranth import Module
from amaranth.back import rtlil
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate_hw.build.contents import forget_contents
from dualgate_hw.compact.parts import UNINITIALISED


class Two(wiring.Component):
    """A memory with the attribute, and one without."""

    def __init__(self) -> None:
        super().__init__({"address": In(4), "first": Out(8), "second": Out(8)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for name, attributes, found in (
            ("bare", {UNINITIALISED: 1}, self.first),
            ("filled", {}, self.second),
        ):
            store = memory.Memory(shape=8, depth=16, init=[7] * 16, attrs=attributes)
            m.submodules[name] = store
            read = store.read_port()
            m.d.comb += [read.addr.eq(self.address), found.eq(read.data)]
        return m


def test_only_memories_with_the_attribute_lose_their_first_contents() -> None:
    before = rtlil.convert(Two(), name="top", emit_src=False)
    after = forget_contents(before)
    assert before.count("cell $meminit_v2") == 2
    assert after.count("cell $meminit_v2") == 1
    assert r'parameter \MEMID "\\filled"' in after[after.index("$meminit_v2") :]
    assert after.count("cell $memrd_v2") == 2
