# SPDX-License-Identifier: BSD-2-Clause

"""Views of a waveform: which signals GTKWave and Surfer show first, in groups with names."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vcd.gtkw import GTKWSave

from dualgate.contract.engine import EngineParameters
from dualgate.data.files import replace_file

from .names import FRAME, TOP, VIEWER_ROOT, Names, Signal

_STREAM = "{0}__valid {0}__ready {0}__payload"


def _streams(*names: str) -> str:
    return " ".join(_STREAM.format(name) for name in names)


_Parts = tuple[tuple[str, str], ...]

_ENGINE: tuple[str, _Parts] = ("engine", (("", f"clk {_streams('command', 'response')}"),))

_CORE: tuple[tuple[str, _Parts], ...] = (
    ("loader", (("{0}.loader", f"fsm_state {_streams('sample')}"),)),
    (
        "value lane",
        (
            ("{0}.value", "mac__valid mac__ready mac__row"),
            ("{0}.value.thread_0", "fsm_state"),
            ("{0}.value.thread_1", "fsm_state"),
            ("{0}.value.thread_2", "fsm_state"),
        ),
    ),
    (
        "error unit",
        (
            ("{0}.error", f"fsm_state unit {_streams('token', 'response', 'done')}"),
            ("{0}.error.softmax", "fsm_state"),
            ("{0}.error.arithmetic", "value target scalar"),
        ),
    ),
    (
        "tangent lanes",
        (
            ("{0}.tangent", f"tangent_row scale_row kept dropped {_streams('token', 'done')}"),
            ("{0}.tangent.seeds", f"fsm_state {_streams('job')}"),
            ("{0}.tangent.pruner", f"fsm_state {_streams('rows')}"),
            ("{0}.tangent.issuer", _streams("step")),
        ),
    ),
    (
        "update lane",
        (
            (
                "{0}.update",
                f"fsm_state busy taken write__en write__addr {_streams('token', 'done')}",
            ),
        ),
    ),
)
"""Titles, and for each the parts and signals of a core.

The parts are those of `dualgate_hw.lanes`. Where a part has the same member as one of its own
parts, Amaranth gives one of the two a number. Such streams are shown at their other end.
"""

_END: tuple[str, _Parts] = (
    "end of a batch",
    (("batch_end", "start done"), ("batch_end.walk", "fsm_state index strip")),
)

_COMPACT: tuple[tuple[str, _Parts], ...] = (
    ("sequencer", (("sequencer", "fsm_state address cell result accumulator held"),)),
    ("dot product", (("dot_product", "busy count entry"),)),
    ("outer product", (("outer_product", "busy count row entry"),)),
    ("row step", (("row_step", "busy row"),)),
)


@dataclass(frozen=True)
class Group:
    """Signals that a view shows together.

    Parameters
    ----------
    title : str
    signals : tuple of Signal
    """

    title: str
    signals: tuple[Signal, ...]


def groups(names: Names, engine: EngineParameters, scope: str) -> list[Group]:
    """Choose the signals of a view: the lanes, their states and the streams between them.

    Parameters
    ----------
    names : Names
    engine : EngineParameters
    scope : str
        Full name of the part that is recorded. Groups outside of it are left out.
    """
    cores = [] if engine.compact else [f"core_{core}" for core in range(engine.cores)]
    chosen: list[tuple[str, _Parts]] = [_ENGINE, *(_COMPACT if engine.compact else ())]
    for core in cores:
        for title, parts in _CORE:
            named = tuple((part.format(core), wanted) for part, wanted in parts)
            chosen.append((f"{core} {title}" if engine.cores > 1 else title, named))
    if cores:
        chosen.append(_END)
    inside = f"{VIEWER_ROOT}.{scope}."
    result = []
    for title, parts in chosen:
        signals = (s for part, wanted in parts for s in names.signals(part, wanted))
        kept = tuple(signal for signal in signals if signal.path.startswith(inside))
        if kept:
            result.append(Group(title, kept))
    return result


def gtkwave(view: list[Group], waveform: Path) -> str:
    """Return the save file that GTKWave reads; it numbers the bits of a signal."""
    text = io.StringIO()
    save = GTKWSave(text)
    save.dumpfile(str(waveform.resolve()))
    save.treeopen(f"{VIEWER_ROOT}.{TOP}.")
    for group in view:
        with save.group(group.title):
            for signal in group.signals:
                wide = signal.bits > 1
                save.trace(
                    signal.path + (f"[{signal.bits - 1}:0]" if wide else ""),
                    alias=_short(signal),
                    datafmt="hex" if wide else "bin",
                )
    return text.getvalue()


def surfer(view: list[Group]) -> str:
    """Return the commands for Surfer: a divider for each group, and its signals."""

    def lines() -> Iterator[str]:
        for group in view:
            # Surfer takes one word.
            yield f"divider_add {group.title.replace(' ', '_')}"
            yield from (f"variable_add {signal.path}" for signal in group.signals)
        yield "zoom_fit"

    return "".join(f"{line}\n" for line in lines())


def _short(signal: Signal) -> str:
    """Leave out what all signals' paths begin with."""
    path = signal.path.removeprefix(f"{VIEWER_ROOT}.{FRAME}.")
    return path.removeprefix(TOP.removeprefix(f"{FRAME}.") + ".")


def write_views(waveform: Path, names: Names, engine: EngineParameters, scope: str) -> None:
    """Write the views beside a waveform, as ``.gtkw`` and ``.sucl``.

    Raises
    ------
    InputError
        For a file that cannot be written.
    """
    view = groups(names, engine, scope)
    replace_file(waveform.with_suffix(".gtkw"), gtkwave(view, waveform).encode())
    replace_file(waveform.with_suffix(".sucl"), surfer(view).encode())
