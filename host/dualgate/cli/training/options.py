# SPDX-License-Identifier: BSD-2-Clause

"""The options of `dualgate train`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """The command's options as typed; None for an option that keeps its default."""

    target: str | None
    drop: str | None
    categorical: str | None
    test: str | None
    data: Path | None
    class_weights: str | None
    shift: int | None
    most: int
    layers: str | None
    activation: str | None
    loss: str | None
    initialiser: str | None
    weights: Path | None
    freeze: str | None
    epochs: int | None
    batch: int | None
    optimiser: str | None
    lr: float | None
    schedule: str | None
    momentum: float | None
    prune: str | None
    l1: float | None
    l2: float | None
    dropout: float | None
    patience: int | None
    seed: int | None
    device: str
    neurons: int | None
    check: bool
    out: Path | None
    overwrite: bool
    resume: bool
    checkpoint_every: int | None
    json: Path | None
    tensorboard: Path | None
    trace: Path | None
    trace_scope: str | None
    trace_batches: str | None
