# SPDX-License-Identifier: BSD-2-Clause

"""When an answer is whole: responses counted in bytes as they arrive, whatever carries them."""

from .frame import WORD_BYTES

COUNT = slice(2, WORD_BYTES)
"""Where a header, little-endian, has the number of its payload words; see `commands.header`."""


class Responses:
    """Counts whole responses in a growing buffer.

    Parameters
    ----------
    wanted : int
        Responses to wait for.
    """

    def __init__(self, wanted: int) -> None:
        self._missing = wanted
        self._end = 0

    def whole(self, received: bytearray) -> bool:
        """Whether all that are wanted are whole; `received` is all that came so far."""
        while self._missing and self._end + WORD_BYTES <= len(received):
            header = received[self._end : self._end + WORD_BYTES]
            after = self._end + (1 + int.from_bytes(header[COUNT], "little")) * WORD_BYTES
            if after > len(received):
                break
            self._end = after
            self._missing -= 1
        return not self._missing
