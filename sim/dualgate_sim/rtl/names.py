# SPDX-License-Identifier: BSD-2-Clause

"""Names of an engine's parts and signals, as they stand in a waveform.

The compiler of a model that writes waveforms reads them from the SystemVerilog and puts them into
the library, where the views find them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dualgate.contract.errors import InputError

FRAME = "engine"
"""The engine's ports, under the names that the documentation gives them."""

TOP = f"{FRAME}.inner"
"""The engine itself."""

VIEWER_ROOT = "TOP"
"""Scope in which Verilator puts all others."""

_MODULE = re.compile(r"^module \\?(\S+?) ?\(")
_SIGNAL = re.compile(
    r"^  (?:input|output|wire|reg|logic)(?: signed)? (?:\[(\d+):0\] )?\\?(\S+?)(?: ?=.*| )?;$"
)
_NUMBER = re.compile(r"\$\d+")
"""What Amaranth appends to a part whose name is also that of a signal."""


def declared(verilog: str) -> str:
    """List the signals of each module, a module a line: its name, then ``signal:bits`` of each.

    Amaranth names a module by its place in the hierarchy. Memories and signals whose names begin
    with an underscore are left out; Verilator does not record the latter.
    """
    lines: list[str] = []
    seen: set[str] = set()
    for line in verilog.splitlines():
        if found := _MODULE.match(line):
            lines.append(found[1])
            seen = set()
        elif (found := _SIGNAL.match(line)) and found[2] not in seen and found[2][0] != "_":
            lines[-1] += f" {found[2]}:{int(found[1] or 0) + 1}"
            seen.add(found[2])
    return "\n".join(lines)


@dataclass(frozen=True)
class Signal:
    """A signal of a waveform.

    Parameters
    ----------
    path : str
        Scopes and name, with dots between them.
    bits : int
    """

    path: str
    bits: int


class Names:
    """Parts of an engine, and the signals of each.

    Parameters
    ----------
    text : str
        What `declared` returned.
    """

    def __init__(self, text: str) -> None:
        self._signals: dict[str, dict[str, int]] = {}
        self._scopes: dict[str, str] = {}
        for line in text.splitlines():
            scope, *signals = line.split(" ")
            pairs = (signal.rsplit(":", 1) for signal in signals)
            self._signals[scope] = {name: int(bits) for name, bits in pairs}
            if scope.startswith(f"{TOP}."):
                self._scopes[_NUMBER.sub("", scope.removeprefix(f"{TOP}."))] = scope

    def scopes(self) -> list[str]:
        """List the parts below the engine, such as ``core_0.tangent``."""
        return sorted(self._scopes)

    def find(self, part: str) -> str:
        """Return the full name of a part.

        Parameters
        ----------
        part : str
            A name from `scopes`; empty for the engine.

        Raises
        ------
        InputError
            For a name that is none; it lists the parts at the place where the name goes wrong.
        """
        if not part:
            return FRAME
        if part in self._scopes:
            return self._scopes[part]
        known = part
        while known and known not in self._scopes:
            known = known.rpartition(".")[0]
        inside = f"{known}." if known else ""
        below = {s[len(inside) :].split(".")[0] for s in self._scopes if s.startswith(inside)}
        choices = ", ".join(inside + name for name in sorted(below)) or known
        raise InputError(f"the engine has no part {part!r} to trace; choose {choices}")

    def signals(self, part: str, wanted: str) -> Iterator[Signal]:
        """Yield those of a part's signals that `wanted` names and the engine has.

        Parameters
        ----------
        part : str
            A name from `scopes`; empty for the engine's ports.
        wanted : str
            Names with spaces between them.
        """
        scope = self._scopes.get(part) if part else FRAME
        if scope is None:
            return
        bits = self._signals[scope]
        for name in wanted.split():
            if name in bits:
                yield Signal(f"{VIEWER_ROOT}.{scope}.{name}", bits[name])
