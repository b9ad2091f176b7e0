# SPDX-License-Identifier: BSD-2-Clause

"""Detection of complete responses in the bytes received from any link."""

from .frame import WORD_BYTES

COUNT = slice(2, WORD_BYTES)
"""Bytes of a little-endian header with the number of payload words; see `commands.header`."""


class Responses:
    """A counter of complete responses in a growing buffer.

    Parameters
    ----------
    wanted : int
        Number of responses to wait for.
    """

    def __init__(self, wanted: int) -> None:
        self._missing = wanted
        self._end = 0

    def whole(self, received: bytearray) -> bool:
        """Return whether all responses are complete in `received`, all bytes so far."""
        while self._missing and self._end + WORD_BYTES <= len(received):
            header = received[self._end : self._end + WORD_BYTES]
            after = self._end + (1 + int.from_bytes(header[COUNT], "little")) * WORD_BYTES
            if after > len(received):
                break
            self._end = after
            self._missing -= 1
        return not self._missing
