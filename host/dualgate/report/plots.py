# SPDX-License-Identifier: BSD-2-Clause

"""Pictures of a run, as PNG: curves, confusion matrix, weights of the first layer.

They are drawn by matplotlib, which is optional.
"""

import io
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from ..data.augmentation import image_side
from ..data.files import replace_file
from ..train.record import Record

TRAIN_COLOUR = "#1f77b4"
HELD_OUT_COLOUR = "#d62728"

MOST_IMAGES = 64
"""Largest number of units of the first layer that are drawn."""


@contextmanager
def _only_errors() -> Iterator[None]:
    """Silence matplotlib's warnings, that it keeps its list of fonts in a temporary directory."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _figure(width: float, height: float) -> Any:
    try:
        with _only_errors():
            from matplotlib.figure import Figure
    except ImportError:
        raise MissingToolError(
            "no pictures: matplotlib is missing; pip install dualgate[plot]"
        ) from None
    except OSError:
        raise MissingToolError(
            "no pictures: matplotlib finds no directory to write to; set MPLCONFIGDIR to one"
        ) from None
    return Figure(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=120)
    replace_file(path, content.getvalue())


def draw_curves(path: Path, records: Sequence[Record], title: str) -> None:
    """Draw loss and accuracy over the epochs, of training and held-out samples.

    Samples without classes have no accuracy, so the picture shows only the loss.

    Parameters
    ----------
    path : Path
    records : sequence of Record
        At least one.
    title : str

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    classes = records[0].accuracy is not None
    figure = _figure(9 if classes else 5, 3.6)
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    figure.suptitle(title)
    curves = [("loss", [r.loss for r in records], [r.held_out_loss for r in records])]
    if classes:
        accuracies = [r.accuracy for r in records], [r.held_out_accuracy for r in records]
        curves.append(("accuracy", *accuracies))  # type: ignore[arg-type]
    epochs = [record.epoch for record in records]
    plots = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (name, train, held_out) in zip(plots, curves, strict=True):
        axes.plot(epochs, train, color=TRAIN_COLOUR, marker=".", label="train")
        axes.plot(epochs, held_out, color=HELD_OUT_COLOUR, marker=".", label="held out")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if name == "accuracy":
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    plots[-1].legend()
    _save(figure, path)


def draw_confusion(path: Path, confusion: Sequence[Sequence[int]], title: str) -> None:
    """Draw a confusion matrix: rows are actual labels, columns predicted ones.

    Parameters
    ----------
    path : Path
    confusion : (classes, classes)
        Result of `metrics.confusion_matrix`.
    title : str

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    counts = np.asarray(confusion)
    size = 2.0 + 0.45 * len(counts)
    figure = _figure(size, size)
    axes = figure.subplots()
    axes.set_title(title, fontsize="medium", wrap=True)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    for (row, column), count in np.ndenumerate(counts):
        colour = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(counts)))
    axes.set_yticks(range(len(counts)))
    axes.set_xlabel("predicted")
    axes.set_ylabel("right")
    _save(figure, path)


def draw_weights(path: Path, weights: NDArray[np.floating[Any]], title: str) -> None:
    """Draw the weights of the units of the first layer as images.

    Parameters
    ----------
    path : Path
    weights : float array (side * side + 1, units)
        The last row, the bias, is not drawn, and only the first `MOST_IMAGES` units are.
    title : str

    Raises
    ------
    InputError
        If the inputs are no square image.
    MissingToolError
        If matplotlib is not installed.
    """
    side = image_side(len(weights) - 1)
    images = weights[:-1, :MOST_IMAGES].T.reshape(-1, side, side)
    columns = math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    figure = _figure(1.1 * columns, 1.1 * rows + 0.5)
    figure.suptitle(title, fontsize="medium", wrap=True)
    for axes in figure.subplots(rows, columns, squeeze=False).flat:
        axes.axis("off")
    limit = float(np.abs(images).max()) or 1.0
    for axes, image in zip(figure.axes, images, strict=False):
        axes.imshow(image, cmap="RdBu", vmin=-limit, vmax=limit)
    _save(figure, path)
