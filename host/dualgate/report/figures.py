# SPDX-License-Identifier: BSD-2-Clause

"""Figures of a run, made by matplotlib, which is optional.

Each function returns a figure; `plots` writes them as PNG and `vector` as SVG.
"""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from ..data.augmentation import image_side
from ..train.record import Record

Floats = NDArray[np.floating[Any]]

TRAIN_COLOUR = "#2f7fc1"
HELD_OUT_COLOUR = "#d9622b"

MOST_IMAGES = 64
"""Largest number of units of the first layer that are drawn."""

MOST_CELLS = 64
"""Largest number of rows and of columns of a matrix that is drawn entry by entry."""

MOST_COUNTS = 30
"""Largest number of classes whose counts are written into the cells of a confusion matrix."""

MOST_LETTERS = 18
"""Longest name on an axis; longer ones are cut."""


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


def new_figure(width: float, height: float) -> Any:
    """Make an empty figure.

    Parameters
    ----------
    width, height : float
        In inches.

    Raises
    ------
    MissingToolError
        If matplotlib is not installed, or finds no directory to write to.
    """
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


def short(name: str, most: int = MOST_LETTERS) -> str:
    """Cut a `name` to `most` letters, and replace what is not printable."""
    clean = "".join(c if c.isprintable() else "·" for c in name)
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def _title(figure: Any, title: str) -> None:
    if title:
        figure.suptitle(title, fontsize="medium", wrap=True, parse_math=False)


def curves(records: Sequence[Record], title: str, costs: bool = False) -> Any:
    """Draw loss and accuracy over the epochs, of training and held-out samples.

    Samples without classes have no accuracy, so the figure shows only the loss.

    Parameters
    ----------
    records : sequence of Record
        At least one.
    title : str
    costs : bool
        Whether to draw also the share of tangents kept, if any were dropped, and the cycles a
        sample, if the device has a clock.
    """
    first = records[0]
    pairs = [("loss", "loss", "held_out_loss")]
    if first.accuracy is not None:
        pairs.append(("accuracy", "accuracy", "held_out_accuracy"))
    if costs and any(r.kept_fraction < 1.0 for r in records):
        pairs.append(("tangents kept", "kept_fraction", ""))
    if costs and first.cycles_per_sample is not None:
        pairs.append(("cycles a sample", "cycles_per_sample", ""))
    columns = len(pairs) if len(pairs) < 4 else 2
    rows = math.ceil(len(pairs) / columns)
    figure = new_figure((5, 9, 11)[columns - 1], 3.6 if rows == 1 else 2.8 * rows)
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    _title(figure, title)
    epochs = [record.epoch for record in records]
    grid = figure.subplots(rows, columns, squeeze=False).flat
    for axes, (name, train, held_out) in zip(grid, pairs, strict=True):
        axes.plot(
            epochs,
            [getattr(r, train) for r in records],
            color=TRAIN_COLOUR,
            marker=".",
            label="train",
        )
        if held_out and getattr(first, held_out) is not None:
            values = [getattr(r, held_out) for r in records]
            axes.plot(epochs, values, color=HELD_OUT_COLOUR, marker=".", label="held out")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        if name in ("accuracy", "tangents kept"):
            axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        if held_out:
            axes.legend()
    return figure


def confusion(counts: Sequence[Sequence[int]], title: str, names: Sequence[str] = ()) -> Any:
    """Draw a confusion matrix: rows are actual classes, columns predicted ones.

    Parameters
    ----------
    counts : (classes, classes)
        Result of `metrics.confusion_matrix`.
    title : str
    names : sequence of str
        Names of the classes; by default their numbers.
    """
    matrix = np.asarray(counts)
    size = min(1.8 + 0.36 * len(matrix), 12.0)
    figure = new_figure(size + 0.6, size)
    axes = figure.subplots()
    if title:
        axes.set_title(title, fontsize="medium", wrap=True, parse_math=False)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="none")
    if len(matrix) <= MOST_COUNTS:
        for (row, column), count in np.ndenumerate(matrix):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, str(count), ha="center", va="center", color=colour, fontsize=8)
    small = 9 if len(matrix) <= MOST_COUNTS else 5
    labels = [short(n) for n in names] if len(names) == len(matrix) else range(len(matrix))
    style = {"labels": list(map(str, labels)), "fontsize": small, "parse_math": False}
    long = any(len(str(label)) > 3 for label in labels)
    turned = {"rotation": 45, "ha": "right"} if long else {}
    axes.set_xticks(range(len(matrix)), **style, **turned)
    axes.set_yticks(range(len(matrix)), **style)
    axes.set_xlabel("predicted")
    axes.set_ylabel("right")
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.set_label("share of the row", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return figure


def weight_images(weights: Floats, title: str) -> Any:
    """Draw the weights of the units of the first layer as images, with a scale.

    Parameters
    ----------
    weights : float array (side * side + 1, units)
        The last row, the bias, is not drawn, and only the first `MOST_IMAGES` units are.
    title : str

    Raises
    ------
    InputError
        If the inputs are no square image.
    """
    side = image_side(len(weights) - 1)
    images = weights[:-1, :MOST_IMAGES].T.reshape(-1, side, side)
    columns = min(len(images), max(math.ceil(math.sqrt(len(images))), 8))
    rows = math.ceil(len(images) / columns)
    gap = max(1, side // 14)
    sheet = np.full((rows * (side + gap) - gap, columns * (side + gap) - gap), np.nan)
    for index, image in enumerate(images):
        top, left = (index // columns) * (side + gap), (index % columns) * (side + gap)
        sheet[top : top + side, left : left + side] = image
    figure = new_figure(0.9 * columns + 1.2, max(0.9 * rows + 0.5, 1.8))
    _title(figure, title)
    axes = figure.subplots()
    axes.axis("off")
    _signed(figure, axes, sheet)
    return figure


def weight_matrix(weights: Floats, title: str, names: Sequence[str] = ()) -> Any:
    """Draw a layer's weights as a matrix: a row for each input and one for the bias.

    Parameters
    ----------
    weights : float array (inputs + 1, units)
        Only the first `MOST_CELLS` inputs and units are drawn.
    title : str
    names : sequence of str
        Names of the inputs, if they have names.
    """
    inputs = len(weights) - 1
    shown = np.concatenate((weights[:-1][:MOST_CELLS], weights[-1:]))[:, :MOST_CELLS]
    rows, columns = shown.shape
    figure = new_figure(min(2.6 + 0.16 * columns, 9), max(2.4, min(1.5 + 0.15 * rows, 8)))
    _title(figure, title)
    axes = figure.subplots()
    _signed(figure, axes, shown)
    axes.set_xlabel("unit")
    if len(names) == inputs:
        labels = [short(n) for n in names[:MOST_CELLS]]
        axes.set_yticks(range(rows), labels=[*labels, "bias"], fontsize=7, parse_math=False)
    else:
        step = max(1, -(-(rows - 1) // 8))
        places = [*range(0, rows - 1, step), rows - 1]
        labels = [*map(str, places[:-1]), "bias"]
        axes.set_yticks(places, labels=labels, fontsize=7)
        axes.set_ylabel("input")
    axes.tick_params(axis="x", labelsize=7)
    _whole_ticks(axes.xaxis)
    return figure


def _whole_ticks(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))


def _signed(figure: Any, axes: Any, values: Floats) -> None:
    """Draw signed values with white at zero, and their scale beside them."""
    limit = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    image = axes.imshow(
        values, cmap="RdBu", vmin=-limit, vmax=limit, interpolation="none", aspect="equal"
    )
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.02)
    bar.set_label("weight", fontsize=8)
    bar.ax.tick_params(labelsize=7)


def kept_entries(kept: Floats, title: str = "") -> Any:
    """Draw in which share of the samples each entry of the tangents is kept.

    Parameters
    ----------
    kept : float array (tags, units)
        See `Crossing.kept`. More than `MOST_CELLS` tags or units are averaged in blocks.
    title : str
    """
    tags, units = kept.shape
    shown = _pooled(kept)
    width, height = 2.4 + 0.13 * shown.shape[1], 1.3 + 0.13 * shown.shape[0]
    figure = new_figure(min(width, 7), max(2.4, min(height, 6)))
    _title(figure, title)
    axes = figure.subplots()
    edges = (-0.5, units - 0.5, tags - 0.5, -0.5)
    image = axes.imshow(
        shown, cmap="viridis", vmin=0.0, vmax=1.0, interpolation="none", extent=edges
    )
    from matplotlib.ticker import PercentFormatter

    for axis in (axes.xaxis, axes.yaxis):
        _whole_ticks(axis)
    axes.set_xlabel("unit", fontsize=8)
    axes.set_ylabel("tag", fontsize=8)
    axes.tick_params(labelsize=7)
    bar = figure.colorbar(image, ax=axes, fraction=0.046, pad=0.03)
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    bar.set_label("kept in this share of samples", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    return figure


def _pooled(matrix: Floats) -> Floats:
    """Average a matrix in blocks, to at most `MOST_CELLS` rows and columns."""
    for axis in (0, 1):
        count = matrix.shape[axis]
        if count > MOST_CELLS:
            starts = np.arange(MOST_CELLS) * count // MOST_CELLS
            sizes = np.diff(np.append(starts, count))
            sums = np.add.reduceat(matrix, starts, axis=axis)
            matrix = sums / (sizes[:, None] if axis == 0 else sizes)
    return matrix
