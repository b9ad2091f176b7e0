# SPDX-License-Identifier: BSD-2-Clause

"""The pictures of a page, each with its caption."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..contract.network import Network
from ..data.augmentation import image_side
from . import figures
from .content import Content
from .vector import inline_svg

MOST_PICTURES = 12
"""Largest number of pictures of one kind; deep networks have many pairs of layers."""

LEAST_SIDE = 5
"""Smallest side of a square of inputs that is taken for an image."""


@dataclass(frozen=True)
class Picture:
    """A picture.

    Parameters
    ----------
    caption : str
        What it shows, plain text.
    svg : str
        One element, see `inline_svg`.
    """

    caption: str
    svg: str


@dataclass(frozen=True)
class Pictures:
    """The pictures of each section.

    Parameters
    ----------
    curves, confusion, kept, weights : list of Picture
        Empty for what a run does not have.
    """

    curves: list[Picture] = field(default_factory=list)
    confusion: list[Picture] = field(default_factory=list)
    kept: list[Picture] = field(default_factory=list)
    weights: list[Picture] = field(default_factory=list)


def draw_pictures(content: Content) -> Pictures:
    """Draw the pictures of a report.

    Raises
    ------
    MissingToolError
        If matplotlib is not installed.
    """
    return Pictures(_curves(content), _confusion(content), _kept(content), _weights(content))


def _picture(name: str, caption: str, build: Callable[[], Any]) -> Picture:
    return Picture(caption, inline_svg(build, name, caption))


def _curves(content: Content) -> list[Picture]:
    records = content.state.records
    if not records:
        return []
    caption = "Loss, accuracy and costs of each epoch; held-out samples are measured after it."
    return [_picture("curves", caption, lambda: figures.curves(records, "", costs=True))]


def _confusion(content: Content) -> list[Picture]:
    counts = content.evaluation.confusion if content.evaluation else None
    if counts is None:
        return []
    caption = "Confusion matrix: number of held-out samples; shade: share of the row."
    return [_picture("confusion", caption, lambda: figures.confusion(counts, "", content.classes))]


def _kept(content: Content) -> list[Picture]:
    crossings = content.inspection.crossings if content.inspection else ()
    drawn = []
    for crossing in [c for c in crossings if c.nonzero][:MOST_PICTURES]:
        tags, layer = crossing.tag_layer, crossing.layer
        caption = (
            f"Tags of layer {tags} crossing layer {layer}: share of the samples in which an entry "
            "is kept."
        )
        build = _bound(figures.kept_entries, crossing.kept)
        drawn.append(_picture(f"kept{tags}-{layer}", caption, build))
    return drawn


def _weights(content: Content) -> list[Picture]:
    network, drawn = content.state.network, []
    for index, master in enumerate(content.state.weights[:MOST_PICTURES]):
        weights = MASTER.real(master)
        units = weights.shape[1]
        if index == 0 and are_images(network):
            some = _some(units, figures.MOST_IMAGES, "units")
            caption = f"Layer 0: weights of {some} as images, in the places of the inputs."
            build = _bound(figures.weight_images, weights, "")
        else:
            inputs = _some(len(weights) - 1, figures.MOST_CELLS, "inputs")
            some = _some(units, figures.MOST_CELLS, "units")
            caption = f"Layer {index}: weights from {inputs} to {some}."
            names = content.columns if index == 0 else ()
            build = _bound(figures.weight_matrix, weights, "", names)
        drawn.append(_picture(f"weights{index}", caption, build))
    return drawn


def _some(count: int, most: int, what: str) -> str:
    return f"{count} {what}" if count <= most else f"the first {most} of {count} {what}"


def _bound(build: Callable[..., Any], *args: Any) -> Callable[[], Any]:
    return lambda: build(*args)


def are_images(network: Network, least: int = LEAST_SIDE) -> bool:
    """Return whether the inputs of `network` are a square of at least `least` pixels a side."""
    try:
        return image_side(network.sizes[0]) >= least
    except InputError:
        return False
