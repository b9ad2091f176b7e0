# SPDX-License-Identifier: BSD-2-Clause

"""The page docs/boards.md, written from the results of builds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..boards import BOARDS
from ..boards.board import Board
from .result import Result
from .speed import speeds

NOTES = Path("docs/engineering-log.md")
"""The part of the page that no build can find: how to use a board, and how it got its speed."""


def document(results: Mapping[str, Result], data: Path | None) -> str:
    """Write the page as Markdown.

    Parameters
    ----------
    results : mapping
        Results of builds by the board's name.
    data : Path or None
        See `speed.speeds`.
    """
    parts = [
        "# Boards",
        "Written by `dualgate boards --docs`, from the builds in a directory. Boards whose "
        "build was not run, or not to its end, are named as such.",
        _boards(),
        _utilisation(results),
        _timing(results),
        _speed(results, data),
        NOTES.read_text().strip(),
    ]
    return "\n\n".join(parts) + "\n"


def _table(heading: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [heading, tuple("---" for _ in heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def engine_text(board: Board) -> str:
    """Describe the board's own engine in a few characters."""
    engine = board.engine
    arrays = "three lanes" if engine.arrays == 3 else "shared array"
    if engine.compact:
        arrays = "compact"
    cores = f"{engine.cores} x " if engine.cores > 1 else ""
    lanes = f" K={engine.tangent_lanes}" if engine.tangent_lanes > 1 else ""
    strip = f", strips of {engine.strip}" if engine.strips > 1 else ""
    return f"{cores}N={engine.neurons}{lanes}, {arrays}{strip}"


def _boards() -> str:
    rows = [
        (
            f"`{board.name}`",
            board.title,
            board.part,
            engine_text(board),
            f"{board.clock.mhz:g} MHz",
            f"{board.baud:,}" if board.baud else "-",
            board.bridge,
        )
        for board in BOARDS.values()
    ]
    heading = ("name", "board", "part", "engine", "clock", "baud", "link through")
    return "## What there is\n\n" + _table(heading, rows)


def _utilisation(results: Mapping[str, Result]) -> str:
    rows: list[tuple[str, ...]] = []
    for name, board in BOARDS.items():
        if name not in results:
            rows.append((f"`{name}`", "not built", "", "", ""))
            continue
        used, has = results[name].utilisation, board.capacity
        pairs = (
            (used.luts, has.luts),
            (used.flip_flops, has.flip_flops),
            (used.block_rams, has.block_rams),
            (used.multipliers, has.multipliers),
        )
        rows.append((f"`{name}`", *(f"{u:,} of {h:,} ({u / h:.0%})" for u, h in pairs)))
    heading = ("board", "LUTs", "flip-flops", "block RAMs", "multipliers")
    return (
        "## What the engines take\n\nAfter synthesis; carry cells and memories made of LUTs count "
        "as LUTs.\n\n" + _table(heading, rows)
    )


def _timing(results: Mapping[str, Result]) -> str:
    rows = []
    for name, result in results.items():
        if not result.timing:
            why = result.problem.partition(";")[0] or "no open tool places this part"
            rows.append((f"`{name}`", "not placed", "", "", why, ""))
            continue
        worst = result.worst
        rows.append(
            (
                f"`{name}`",
                str(len(result.timing)),
                f"{result.median_mhz:.1f} MHz",
                f"{worst.mhz:.1f} MHz",
                worst.path,
                f"{worst.logic_ns:g} + {worst.routing_ns:g} ns",
            )
        )
    heading = ("board", "seeds", "median", "worst", "slowest path", "logic + routing")
    return "## How fast they are\n\nAfter place and route.\n\n" + _table(heading, rows)


def _speed(results: Mapping[str, Result], data: Path | None) -> str:
    rows = []
    for name, result in results.items():
        if not result.timing:
            continue
        hertz = min(result.clock_mhz, result.worst.mhz) * 1e6
        for speed in speeds(result.engine, BOARDS[name].depths, data):
            rows.append(
                (
                    f"`{name}`",
                    speed.task,
                    speed.layers,
                    f"{speed.cycles:,.1f}",
                    f"{hertz / speed.cycles:,.0f}",
                    f"{1e6 * speed.cycles / hertz:.2f} us",
                )
            )
    heading = ("board", "task", "layers", "cycles a sample", "samples/s", "a sample")
    return (
        "## Samples a second\n\nThe engine's own pace: cycles from the cycle model, which is exact "
        "for one core and for a compact engine, on samples in training, under the task's pruning; "
        "over the lower of the board's clock and its worst placement. A serial line is far slower "
        "than this: the host sends every sample over it.\n\n" + _table(heading, rows)
    )
