# SPDX-License-Identifier: BSD-2-Clause

"""The pictures that `dualgate train` leaves."""

from collections.abc import Sequence
from pathlib import Path

from ...contract.errors import InputError, MissingToolError
from ...contract.formats import MASTER
from ...contract.network import Network
from ...data.augmentation import image_side
from ...report.plots import draw_confusion, draw_curves, draw_weights
from ...report.summary import Summary
from ...runs import RunDirectory
from ...train.checkpoint import Checkpoint


def draw_pictures(
    directory: RunDirectory, summary: Summary, state: Checkpoint, classes: Sequence[str]
) -> str:
    """Draw the pictures of a run, and return a line that says where they are or why not."""
    title = summary.title()
    drawn: list[Path] = []
    try:
        draw_curves(directory.curves, state.records, title)
        drawn.append(directory.curves)
        if summary.confusion is not None:
            draw_confusion(directory.confusion, summary.confusion, title, classes)
            drawn.append(directory.confusion)
        if _are_images(state.network):
            draw_weights(directory.weights, MASTER.real(state.weights[0]), title)
            drawn.append(directory.weights)
    except MissingToolError as error:
        return str(error)
    except (
        InputError,
        OSError,
        ValueError,
    ) as error:  # the figures are written; say it and end well
        return f"note: not all pictures are drawn: {error}"
    return f"pictures: {', '.join(map(str, drawn))}"


def _are_images(network: Network) -> bool:
    try:
        return image_side(network.sizes[0]) >= 8
    except InputError:
        return False
