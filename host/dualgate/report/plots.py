# SPDX-License-Identifier: BSD-2-Clause

"""Pictures of a run, as PNG files: curves, confusion matrix, weights of the first layer."""

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.files import replace_file
from ..train.record import Record
from . import figures


@contextmanager
def missing_letters_ignored() -> Iterator[None]:
    """Draw a box, without a warning, for a letter of a name that the font does not have."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support")
        yield


def _save(build: Callable[[], Any], path: Path) -> None:
    content = io.BytesIO()
    with missing_letters_ignored():
        build().savefig(content, format="png", dpi=120, bbox_inches="tight")
    replace_file(path, content.getvalue())


def draw_curves(path: Path, records: Sequence[Record], title: str) -> None:
    """Draw loss and accuracy over the epochs; see `figures.curves`.

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    _save(lambda: figures.curves(records, title), path)


def draw_confusion(
    path: Path, confusion: Sequence[Sequence[int]], title: str, names: Sequence[str] = ()
) -> None:
    """Draw a confusion matrix, with the names of the classes; see `figures.confusion`.

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    _save(lambda: figures.confusion(confusion, title, names), path)


def draw_weights(path: Path, weights: NDArray[np.floating[Any]], title: str) -> None:
    """Draw the weights of the units of the first layer as images; see `figures.weight_images`.

    Raises
    ------
    InputError
        If the inputs are no square image.
    MissingToolError
        If matplotlib is not installed.
    """
    _save(lambda: figures.weight_images(weights, title), path)
