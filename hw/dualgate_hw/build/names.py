# SPDX-License-Identifier: BSD-2-Clause

"""Names that synthesis cannot mistake for bits of other names.

Amaranth calls an entry of an array ``right[1]``, beside the array ``right``. To map logic, yosys
0.70 takes its netlist apart and puts it together by names, where bit 1 of ``right`` is
``right[1]``, too: it takes two signals for one. Where their widths differ it may stop, by an
assertion (``GetSize(conn.first) == GetSize(conn.second)``); elsewhere nobody is told. Which signals
meet that way changes with every netlist. https://github.com/YosysHQ/yosys/issues/4349
"""

import re

_INDEXED = re.compile(r"(?<=\s)\\\S*\[\S*")
_INDEX = re.compile(r"\[(\d+)\]")


def without_indices(rtlil: str) -> str:
    """The same design, with ``right:1`` for the name ``right[1]``; selected bits are no names."""
    return _INDEXED.sub(lambda name: _INDEX.sub(r":\1", name[0]), rtlil)
