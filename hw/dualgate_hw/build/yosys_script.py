# SPDX-License-Identifier: BSD-2-Clause

"""Yosys commands that prepare a design for synthesis, right after it is read.

Board builds pass them to Amaranth as ``script_after_read``; designs without pins, such as the
netlists that are simulated, use the script of `synthesis`. No text of RTLIL is changed.
"""

from ..common.memory_attributes import FEW_WORDS, UNINITIALISED
from .families import FAMILIES, Family

ALLOW_COLLISIONS = "setparam -set COLLISION_X_MASK 8'b11111111 t:$memrd_v2 r:CLK_ENABLE=1 %i"
"""Lets a clocked read port return any value for a word that is written in the same cycle.

Amaranth promises the old word there. Block RAM of most parts does not return it, so synthesis would
add registers and comparators to every memory. The engine never uses such a word:
tests/integration/test_collisions.py trains engines whose memories answer such reads with ones.
The mask has a bit for each of the memory's write ports; yosys ignores bits beyond those, and a port
without a bit would only keep the promise.
"""

FORGET_CONTENTS = f"""\
select -assert-none a:{UNINITIALISED} %m m:* %i a:{UNINITIALISED} %d
delete a:{UNINITIALISED} %m t:$meminit_v2 %i"""
"""Deletes the initial contents of memories with the attribute; Amaranth initialises every memory.

yosys selects no contents by their memory, but by their module. The first command therefore stops
the build when such a module has a memory without the attribute.
"""

RENAME_INDICES = r"""select -assert-none w:*\[* x:* %i
rename -unescape w:*\[*"""
"""Renames ``right[1]`` to ``right_1_``, because synthesis takes that name for bit 1 of ``right``.

Amaranth names an entry of an array so, beside the array itself. yosys 0.70 takes a netlist apart to
map its logic and puts it together by names, where it confuses the two signals. Where their widths
differ it may stop at an assertion (``GetSize(conn.first) == GetSize(conn.second)``); otherwise it
says nothing. Which names meet changes with every netlist.
https://github.com/YosysHQ/yosys/issues/4349
Ports are not renamed, since an instance would keep their old names; the first command stops the
build where a port has such a name.
"""

PREFER_LUTS = f'setattr -set ram_style "distributed" a:{FEW_WORDS}'
"""Asks for LUTs in place of registers; synthesis for a part without such LUTs would stop."""


def after_read(family: Family) -> str:
    """Return the commands for a family of parts, one a line."""
    commands = [ALLOW_COLLISIONS, FORGET_CONTENTS, RENAME_INDICES]
    if family.lut_ram:
        commands.append(PREFER_LUTS)
    return "\n".join(commands)


def synthesis(name: str, family: str) -> str:
    """Return the script that synthesises a design without pins.

    Parameters
    ----------
    name : str
        The top module; ``name.il`` is read and ``name.json`` written.
    family : str
        A key of `FAMILIES`.
    """
    found = FAMILIES[family]
    return f"""\
read_rtlil {name}.il
{after_read(found)}
synth_{family} {found.synthesis} -top {name}
write_json {name}.json
"""
