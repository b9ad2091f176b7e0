# SPDX-License-Identifier: BSD-2-Clause

"""Damage to files."""

from pathlib import Path

from hypothesis import strategies as st


def damage(path: Path, data: st.DataObject) -> None:
    """Cut a file, or change one bit of it, wherever hypothesis likes."""
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
