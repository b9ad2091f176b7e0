# SPDX-License-Identifier: BSD-2-Clause

"""Memories that are a few words deep and have many readers, for parts whose LUTs can be memories.

Left alone, synthesis makes registers of them, and for each reader wide multiplexers.
"""

import re

_DECLARED = re.compile(r"^  memory width \d+ size \d+ \\layers(\$\d+)?$", re.MULTILINE)
"""Descriptors: each core's, which five of its parts read, and the batch's end's. Where a core has a
signal of that name, Amaranth numbers the memory."""


def prefer_luts(rtlil: str) -> str:
    """The same design, with an attribute that asks for LUTs."""
    return _DECLARED.sub(r'  attribute \\ram_style "distributed"\n\g<0>', rtlil)
