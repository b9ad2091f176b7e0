# SPDX-License-Identifier: BSD-2-Clause

"""Words and figures of a report: its head, its settings and its counts."""

import platform
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from ..contract.settings import prune_name
from ..devices import Counters
from .content import Content
from .origin import Origin
from .progress import percent


def size_name(content: Content) -> str:
    """Return the sizes of the network, such as ``64-32-10``."""
    return "-".join(map(str, content.state.network.sizes))


def layer_name(content: Content, index: int) -> str:
    """Return the layer `index` of the network of `content`, with sizes and activation."""
    layer = content.state.network.layers[index]
    frozen = ", frozen" if layer.frozen else ""
    return f"layer {index} ({layer.inputs} to {layer.outputs}, {layer.activation.name}{frozen})"


def about(content: Content, origin: Origin) -> str:
    """Return one sentence about the run with this `content` and `origin`."""
    state, device = content.state, f"the device {origin.device}" if origin.device else "a device"
    samples = f"{content.trained:,} samples"
    return (
        f"A network {size_name(content)} with {state.network.parameters:,} parameters, trained for "
        f"{state.epoch} epochs of {samples} on {device}."
    )


def tiles(content: Content) -> list[dict[str, str]]:
    """Return the most important figures of a run, each with its label."""
    found, state = [], content.state
    records, measured = state.records, content.evaluation
    if measured is not None and measured.accuracy is not None:
        found.append((percent(measured.accuracy), f"accuracy of {content.held_out:,} held out"))
    elif measured is not None and measured.r2 is not None:
        found.append((f"{measured.r2:.4f}", "R² of held-out samples"))
    if measured is not None:
        found.append((f"{measured.loss:.4g}", f"held-out loss ({state.network.loss})"))
    cycles = records[-1].cycles_per_sample if records else None
    if cycles is not None:
        found.append((f"{cycles:,.1f}", "cycles a sample, measured"))
    elif content.lanes is not None:
        found.append((f"{content.lanes.cycles_per_sample:,.1f}", "cycles a sample, predicted"))
    counters = state.counters
    if counters.kept + counters.dropped:
        found.append((percent(counters.kept_fraction), "tangents kept"))
    found.append((f"{counters.saturations:,}", "numbers clipped"))
    return [{"value": value, "label": label} for value, label in found]


def plural(count: int, noun: str) -> str:
    """Return a `count` with its `noun`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def clipped(counters: Counters) -> str:
    """Say how many numbers of each kind a run clipped."""
    return (
        f"{counters.saturated_values:,} pre-activations, {counters.saturated_updates:,} errors and "
        f"update scalars, {counters.saturated_weights:,} weights and velocities"
    )


def derivatives(content: Content) -> list[str]:
    """Say for each layer how large the derivatives are that enter it."""
    layers = content.inspection.layers if content.inspection else ()
    return [
        f"layer {index}: " + " / ".join(_power(value) for value in use.derivatives)
        for index, use in enumerate(layers)
        if use.derivatives
    ]


def _power(value: float) -> str:
    digits = str(round(np.log2(value)))
    return "2" + digits.translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def settings(content: Content, origin: Origin) -> dict[str, str]:
    """Return the settings of a run, and the versions of what made the report.

    Parameters
    ----------
    content : Content
    origin : Origin

    Returns
    -------
    dict of str to str
        The settings by name.
    """
    state, network, recipe = content.state, content.state.network, content.state.recipe
    rate = f"{recipe.lr:g}, {recipe.schedule}"
    optimiser = f"{recipe.optimiser} {recipe.momentum:g}" if recipe.momentum else recipe.optimiser
    regular = {
        "L1": recipe.l1,
        "L2": recipe.l2,
        "dropout": recipe.dropout,
        "shift": recipe.shift,
        "patience": recipe.patience,
    }
    found = {
        "data": origin.source or "not noted",
        "device": origin.device or "not noted",
        "layers": ", ".join(
            layer_name(content, index).removeprefix("layer ")
            for index in range(len(network.layers))
        ),
        "loss": network.loss,
        "epochs": f"{state.epoch} of {recipe.epochs}",
        "batch": f"{recipe.batch} samples",
        "learning rate": rate,
        "optimiser": optimiser + (", on chip" if recipe.on_chip else ", on the host"),
        "pruning": prune_name(recipe.prune),
        "regularisation": ", ".join(f"{k} {v:g}" for k, v in regular.items() if v) or "none",
        "class weights": ", ".join(f"{w:g}" for w in recipe.class_weights) or "none",
        "seed": str(recipe.seed),
        "samples": f"{content.trained:,} to train on, {content.held_out:,} held out",
        "goal": origin.goal or "none",
        "report made with": _versions(),
    }
    return found


def _versions() -> str:
    try:
        own = version("dualgate")
    except PackageNotFoundError:
        own = "(not installed)"
    python = platform.python_version()
    return f"dualgate {own}, numpy {np.__version__}, Python {python}, {platform.system()}"
