# SPDX-License-Identifier: BSD-2-Clause

"""Names from files, for one printable line of a message."""

LONGEST = 80


def shown(name: object) -> str:
    """Return a name in printable ASCII, cut to `LONGEST` letters."""
    text = ascii(str(name))[1:-1]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
