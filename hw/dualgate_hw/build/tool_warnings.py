# SPDX-License-Identifier: BSD-2-Clause

"""Warnings of the tools: a build shows all, and fails on those not known to be harmless."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

HARMLESS = {
    r"Wire \S+ has an unprocessed 'init' attribute\.": (
        "an iCE40's multiplier took the register in, which begins at zero there; yosys takes in no "
        "register that begins otherwise"
    ),
    r"The SystemVerilog keyword `bit' .* is not recognized unless": (
        "a file of yosys itself, which uses the word as a name"
    ),
    r"net 'engine_clock' does not exist in design, ignoring clock constraint": (
        "synthesis gave the net the name of the clock domain; --freq states the rate as well, and "
        "nextpnr derives it from the PLL"
    ),
}
"""Texts of harmless warnings, as regular expressions, and the reason for each."""

_WARNING = re.compile(r"\bwarning: (.+)$", re.IGNORECASE)

_PARTICULAR = re.compile(r"'[^']*'|\S*[.$:\\\[\d]\S*")
"""Names and numbers, in which warnings of one kind differ."""


@dataclass(frozen=True)
class Warnings:
    """Warnings of one kind.

    Parameters
    ----------
    text : str
        The first of them.
    count : int
        Number of them.
    log : Path
        The log that has the first of them.
    reason : str
        Why they are harmless; empty where that is not known.
    """

    text: str
    count: int
    log: Path
    reason: str

    def __str__(self) -> str:
        times = f" ({self.count} like this)" if self.count > 1 else ""
        return f"warning: {self.text}{times}"


def read_warnings(logs: Iterable[Path]) -> list[Warnings]:
    """Collect the warnings of logs; those that differ only in names and numbers are of one kind."""
    found: dict[str, Warnings] = {}
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            if warned := _WARNING.search(line):
                text = warned[1].strip()
                kind = _PARTICULAR.sub("", text)
                known = found.get(kind, Warnings(text, 0, log, _reason(text)))
                found[kind] = Warnings(known.text, known.count + 1, known.log, known.reason)
    return list(found.values())


def _reason(text: str) -> str:
    reasons = (why for pattern, why in HARMLESS.items() if re.match(pattern, text))
    return next(reasons, "")


def unexplained(warnings: Iterable[Warnings]) -> str:
    """Return why warnings fail a build; empty if all are known to be harmless."""
    return "; ".join(f"{each}, see {each.log}" for each in warnings if not each.reason)
