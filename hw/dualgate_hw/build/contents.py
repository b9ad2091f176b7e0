# SPDX-License-Identifier: BSD-2-Clause

"""Memories that begin with anything: large single-port RAM of some parts cannot be initialised.

Amaranth gives every memory first contents, zeros at least. Of a memory with the attribute
`UNINITIALISED` they are taken away here, because whatever reads it wrote it before.
"""

import re

from ..compact.parts import UNINITIALISED

_MEMORY = re.compile(
    rf"^  attribute \\{UNINITIALISED} 1\n(?:  attribute .*\n)*  memory .* (\\\S+)$", re.MULTILINE
)
_CONTENTS = re.compile(r"^  cell \$meminit_v2 .*?^  end\n", re.MULTILINE | re.DOTALL)
_MODULE = re.compile(r"^module .*?^end$", re.MULTILINE | re.DOTALL)


def forget_contents(rtlil: str) -> str:
    """The same design, but for the first contents of memories with the attribute."""

    def forgotten(module: re.Match[str]) -> str:
        names = set(_MEMORY.findall(module[0]))
        if not names:
            return module[0]

        def kept(cell: re.Match[str]) -> str:
            found = re.search(r'parameter \\MEMID "\\(\\\S+)"', cell[0])
            return "" if found and found[1] in names else cell[0]

        return _CONTENTS.sub(kept, module[0])

    return _MODULE.sub(forgotten, rtlil)
