"""The history of a run: a file of one JSON line an epoch, and a picture of its curves."""

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .errors import MissingToolError
from .files import replace_file
from .training import Record

TRAIN_COLOUR = "#1f77b4"
HELD_OUT_COLOUR = "#d62728"


def write_history(path: Path, records: Sequence[Record]) -> None:
    """Write one JSON line an epoch, its keys the fields of `Record`."""
    lines = [json.dumps(asdict(record)) + "\n" for record in records]
    replace_file(path, "".join(lines).encode())


def draw_curves(path: Path, records: Sequence[Record], title: str) -> None:
    """Draw loss and accuracy over the epochs, of training and held-out samples, as a PNG.

    Raises
    ------
    MissingToolError
        When matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.ticker import MaxNLocator, PercentFormatter
    except ImportError:
        raise MissingToolError(
            "no picture of the curves: matplotlib is missing; pip install dualgate[plot]"
        ) from None
    epochs = [record.epoch for record in records]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2)
    for axes, train, held_out in (
        (left, [r.loss for r in records], [r.held_out_loss for r in records]),
        (right, [r.accuracy for r in records], [r.held_out_accuracy for r in records]),
    ):
        axes.plot(epochs, train, color=TRAIN_COLOUR, marker=".", label="train")
        axes.plot(epochs, held_out, color=HELD_OUT_COLOUR, marker=".", label="held out")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
    left.set_ylabel("loss")
    right.set_ylabel("accuracy")
    right.yaxis.set_major_formatter(PercentFormatter(1.0))
    right.legend(loc="lower right")
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    replace_file(path, content.getvalue())
