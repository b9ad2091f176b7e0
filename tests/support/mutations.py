# SPDX-License-Identifier: BSD-2-Clause

"""Mutations of files: bytes that change, go, repeat or move, also inside archives."""

import gzip
import io
import zipfile
from collections.abc import Callable

from hypothesis import strategies as st

INTERESTING = (
    *(b"\x00" * 4, b"\xff" * 4, b"\x00\x00\x00\x80", b"\xff\xff\xff\x7f", b"\xff" * 8),
    *(b"-1", b"1e999", b"NaN", b"1e9", b"\x1b[2J", b'"', b"{", b"[[[[[[[[", b"\xc2\xb2", b"\n"),
)
"""Bytes that are a length of nothing or of everything, a number out of range, or a control."""

MOST = 40
"""Most bytes that one mutation removes, repeats or moves."""


@st.composite
def mutants(draw: st.DrawFn, content: bytes) -> bytes:
    """Contents of a file that differ from `content` in one to four places.

    One half of the mutants of an archive are whole archives again, with checksums that are right:
    what changed is a member of a zip file, or the text below gzip.
    """
    opened = _opened(content)
    if opened is None or draw(st.booleans()):
        return _mutated(draw, content)
    member, pack = draw(st.sampled_from(opened))
    return pack(_mutated(draw, member))


def _mutated(draw: st.DrawFn, content: bytes) -> bytes:
    result = bytearray(content)
    for _ in range(draw(st.integers(1, 4))):
        # Most formats say near their beginning or end what they hold.
        size = len(result)
        begin, end = st.integers(0, min(size, 200)), st.integers(max(size - 200, 0), size)
        at = draw(begin | end | st.integers(0, size))
        length = draw(st.integers(1, MOST))
        kind = draw(st.sampled_from(("bit", "insert", "set", "remove", "repeat", "move", "cut")))
        if kind == "bit" and at < len(result):
            result[at] ^= 1 << draw(st.integers(0, 7))
        elif kind == "insert":
            result[at:at] = draw(st.sampled_from(INTERESTING) | st.binary(max_size=8))
        elif kind == "set":
            new = draw(st.sampled_from(INTERESTING) | st.binary(max_size=8))
            result[at : at + len(new)] = new
        elif kind == "remove":
            del result[at : at + length]
        elif kind == "repeat":
            result[at:at] = result[at : at + length] * draw(st.integers(1, 50))
        elif kind == "move":
            part = result[at : at + length]
            del result[at : at + length]
            to = draw(st.integers(0, len(result)))
            result[to:to] = part
        elif kind == "cut":
            del result[at:]
    return bytes(result)


def _opened(content: bytes) -> list[tuple[bytes, Callable[[bytes], bytes]]] | None:
    """Each member of an archive with a function that packs another in its place, or None."""
    if content[:2] == b"\x1f\x8b":
        return [(gzip.decompress(content), lambda text: gzip.compress(text, 1, mtime=0))]
    if content[:4] != b"PK\x03\x04":
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}

    def packer(name: str) -> Callable[[bytes], bytes]:
        def pack(member: bytes) -> bytes:
            file = io.BytesIO()
            with zipfile.ZipFile(file, "w") as archive:
                for each, kept in members.items():
                    archive.writestr(zipfile.ZipInfo(each), member if each == name else kept)
            return file.getvalue()

        return pack

    return [(member, packer(name)) for name, member in members.items()]
