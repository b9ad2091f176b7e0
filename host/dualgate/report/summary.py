# SPDX-License-Identifier: BSD-2-Clause

"""The final figures of a run, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, harmonic_mean
from typing import Any

from ..contract.settings import prune_name
from ..data.answers import Answers
from ..data.json_text import write_json
from ..devices import Device
from ..devices.checked import CheckedDevice
from ..tasks import Goal
from ..train.evaluation import Evaluation
from ..train.trainer import Trainer
from .hints import Hint
from .progress import percent


@dataclass(frozen=True)
class Summary:
    """Figures of a whole run; the fields are the keys of the JSON file.

    Parameters
    ----------
    task, device : str
        Names as given by the user.
    layers, frozen, activation, objective
        See `Network`; the objective is its loss.
    epochs, batch, lr, momentum, prune, seed
        See `Recipe`.
    optimiser, schedule, l1, l2, class_weights, shift, patience, initialiser
        See `Recipe`.
    accuracy, loss, confusion, mse, r2
        Metrics of the held-out samples, with the final weights; see `Evaluation`.
    goal, reached : str, bool; or None
        Bound that the defaults of the task reach, and whether this run reached it.
    train_accuracy, train_loss : float
        Values of the last epoch.
    samples_per_s, cycles_per_sample : float
        Means over the epochs. The cycles are None if the device has no clock.
    kept_fraction : float
        Share of all tangents that crossed a hidden layer.
    saturations, saturated_values, saturated_updates, saturated_weights : int
        The first is the sum of the others; see `commands.COUNTERS`.
    part_losses : tuple of float
        Mean loss at the end of each part of a stream, in the last epoch; see `Record`.
    rmse : float or None
        Root of the mean squared error in the target's unit, where that is known.
    bit_identical : bool or None
        True if every batch was checked, None without checks.
    batches : int
        Number of batches in the run, or of checked batches.
    parameters : int
    classes : tuple of str
        Names of the classes, if they have names.
    hints : tuple of dict
        What could be better, the most important first; see `hints.Hint.plain`.
    """

    task: str
    device: str
    layers: tuple[int, ...]
    frozen: tuple[int, ...]
    activation: tuple[str, ...]
    objective: str
    epochs: int
    batch: int
    lr: float
    momentum: float
    prune: str
    seed: int
    optimiser: str
    schedule: str
    l1: float
    l2: float
    dropout: float
    class_weights: tuple[float, ...]
    shift: int
    patience: int
    initialiser: str | None
    accuracy: float | None
    loss: float
    confusion: list[list[int]] | None
    mse: float | None
    r2: float | None
    goal: str | None
    reached: bool | None
    train_accuracy: float | None
    train_loss: float
    samples_per_s: float
    cycles_per_sample: float | None
    kept_fraction: float
    saturations: int
    saturated_values: int
    saturated_updates: int
    saturated_weights: int
    bit_identical: bool | None
    batches: int
    parameters: int
    part_losses: tuple[float, ...] = ()
    rmse: float | None = None
    classes: tuple[str, ...] = ()
    hints: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(
        cls,
        task: str,
        spec: str,
        trainer: Trainer,
        device: Device,
        evaluation: Evaluation,
        goal: Goal | None = None,
        answers: Answers | None = None,
        hints: Sequence[Hint] = (),
    ) -> "Summary":
        """Collect the figures of a finished run from its device, which is still open.

        Parameters
        ----------
        task : str
            Name of the task or of the file.
        spec : str
            Name by which the device was opened.
        trainer : Trainer
        device : Device
        evaluation : Evaluation
        goal : Goal or None
            None if the data have no goal.
        answers : Answers or None
            What the outputs stand for, if that is known.
        hints : sequence of Hint
            See `content.quick_hints`.
        """
        records, counters, recipe = trainer.records, trainer.counters, trainer.recipe
        cycles = [r.cycles_per_sample for r in records if r.cycles_per_sample is not None]
        checked = device.batches if isinstance(device, CheckedDevice) else None
        return cls(
            task=task,
            device=spec,
            layers=trainer.network.sizes,
            frozen=trainer.network.frozen,
            activation=trainer.network.hidden,
            objective=trainer.network.loss,
            **{**asdict(recipe), "prune": prune_name(recipe.prune), "epochs": len(records)},
            **vars(evaluation),
            goal=str(goal) if goal else None,
            reached=goal.met(evaluation) if goal else None,
            part_losses=tuple(records[-1].part_losses),
            rmse=answers.rmse(evaluation.mse) if answers else None,
            train_accuracy=records[-1].accuracy,
            train_loss=records[-1].loss,
            samples_per_s=harmonic_mean([r.samples_per_s for r in records]),
            cycles_per_sample=fmean(cycles) if cycles else None,
            kept_fraction=counters.kept_fraction,
            saturations=counters.saturations,
            saturated_values=counters.saturated_values,
            saturated_updates=counters.saturated_updates,
            saturated_weights=counters.saturated_weights,
            bit_identical=None if checked is None else True,
            batches=trainer.batches * len(records) if checked is None else checked,
            parameters=trainer.network.parameters,
            classes=answers.classes if answers else (),
            hints=tuple(hint.plain() for hint in hints),
        )

    def text(self) -> str:
        """Return the final lines of a run."""
        clipped = (
            f"{self.saturations:,} (values {self.saturated_values:,}, updates "
            f"{self.saturated_updates:,}, weights {self.saturated_weights:,})"
        )
        cycles = self.cycles_per_sample
        speed = f"speed: {self.samples_per_s:,.0f} samples/s"
        reached = "reached" if self.reached else "missed"
        goal = [f"goal of the task: {self.goal}, {reached}"] if self.goal else []
        parts = ", ".join(f"{loss:.4f}" for loss in self.part_losses)
        lines = [
            *([f"loss at the end of each part: {parts}"] if parts else []),
            self._quality(),
            *goal,
            speed if cycles is None else f"{speed}, {cycles:,.1f} cycles/sample",
            f"tangents kept: {percent(self.kept_fraction)} (prune {self.prune})",
            f"saturations: {clipped if self.saturations else 'none'}",
        ]
        if self.bit_identical:
            lines.append(f"bit-identical: {self.batches} batches, {self.parameters} parameters")
        if self.hints:
            lines.append(f"hint: {self.hints[0]['text']}")
        return "\n".join(lines)

    def _quality(self) -> str:
        if self.accuracy is not None:
            return f"held-out accuracy: {percent(self.accuracy)}, loss {self.loss:.4f}"
        explained = "" if self.r2 is None else f", R2 {self.r2:.4f}"
        unit = "" if self.rmse is None else f", RMSE {self.rmse:.4g} in the target's unit"
        return f"held-out loss: {self.loss:.4f}, MSE {self.mse:.4g}{explained}{unit}"

    def title(self) -> str:
        """Return a line that identifies the run, for a picture."""
        sizes = "-".join(map(str, self.layers))
        return f"{self.task}, {sizes}, prune {self.prune}, on {self.device}"

    def write(self, path: Path) -> None:
        """Write the figures as one JSON object."""
        write_json(path, self)
