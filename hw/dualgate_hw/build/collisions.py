# SPDX-License-Identifier: BSD-2-Clause

"""A word that is read in the cycle it is written: nothing in the gateware looks at it.

Amaranth promises the old word there. Block RAM of most parts does not, and synthesis then adds
registers and comparators to every memory. Here the promise is taken back;
tests/integration/test_collisions.py runs an engine whose memories answer such reads with ones only,
and asks for the same bits.
"""

import re

_READ_PORT = re.compile(r"^  cell \$memrd_v2 .*?^  end$", re.MULTILINE | re.DOTALL)
_MASK = re.compile(r"(parameter \\COLLISION_X_MASK )(\d+)'0+$", re.MULTILINE)


def allow_collisions(rtlil: str) -> str:
    """The same design, but a clocked read port may return anything when it meets a write."""

    def freed(port: re.Match[str]) -> str:
        if r"parameter \CLK_ENABLE 1" not in port[0]:
            return port[0]
        return _MASK.sub(lambda mask: f"{mask[1]}{mask[2]}'{'1' * int(mask[2])}", port[0])

    return _READ_PORT.sub(freed, rtlil)
