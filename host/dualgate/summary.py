"""The figures a run ends with, as text and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, harmonic_mean

from .check import CheckedDevice
from .devices import Device
from .files import replace_file
from .progress import percent
from .settings import prune_name
from .training import Record, Trainer


@dataclass(frozen=True)
class Summary:
    """Figures of a whole run; the fields are the keys of the JSON file.

    Parameters
    ----------
    accuracy, loss : float
        Of the held-out samples, after the last epoch.
    samples_per_s, cycles_per_sample : float
        Mean over the epochs; no cycles (None) where the device has no clock.
    kept_fraction : float
        Of all tangents that crossed a hidden layer.
    saturations, saturated_values, saturated_updates, saturated_weights : int
        The first is the sum of the others; see `commands.COUNTERS`.
    bit_identical : bool or None
        True after a check of every batch, None without.
    batches : int
        Of the whole run.
    parameters : int
    """

    task: str
    device: str
    layers: tuple[int, ...]
    activation: tuple[str, ...]
    objective: str
    epochs: int
    batch: int
    lr: float
    momentum: float
    prune: str
    seed: int
    accuracy: float | None
    loss: float | None
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

    @classmethod
    def of(
        cls, task: str, spec: str, trainer: Trainer, device: Device, records: Sequence[Record]
    ) -> "Summary":
        """Gather the figures of a run that has ended, from a device still open."""
        last, counters, recipe = records[-1], device.counters(), trainer.recipe
        cycles = [r.cycles_per_sample for r in records if r.cycles_per_sample is not None]
        return cls(
            task=task,
            device=spec,
            layers=trainer.network.sizes,
            activation=trainer.network.hidden,
            objective=trainer.network.loss,
            epochs=recipe.epochs,
            batch=recipe.batch,
            lr=recipe.lr,
            momentum=recipe.momentum,
            prune=prune_name(recipe.prune),
            seed=recipe.seed,
            accuracy=last.held_out_accuracy,
            loss=last.held_out_loss,
            train_accuracy=last.accuracy,
            train_loss=last.loss,
            samples_per_s=harmonic_mean([r.samples_per_s for r in records]),
            cycles_per_sample=fmean(cycles) if cycles else None,
            kept_fraction=counters.kept_fraction,
            saturations=counters.saturations,
            saturated_values=counters.saturated_values,
            saturated_updates=counters.saturated_updates,
            saturated_weights=counters.saturated_weights,
            bit_identical=True if isinstance(device, CheckedDevice) else None,
            batches=trainer.batches * len(records),
            parameters=trainer.network.parameters,
        )

    def text(self) -> str:
        """The lines that end a run."""
        clipped = (
            f"{self.saturations:,} (values {self.saturated_values:,}, updates "
            f"{self.saturated_updates:,}, weights {self.saturated_weights:,})"
        )
        cycles = self.cycles_per_sample
        speed = f"speed: {self.samples_per_s:,.0f} samples/s"
        lines = [
            f"held-out accuracy: {percent(self.accuracy)}, loss {self.loss:.4f}",
            speed if cycles is None else f"{speed}, {cycles:,.1f} cycles/sample",
            f"tangents kept: {percent(self.kept_fraction)} (prune {self.prune})",
            f"saturations: {clipped if self.saturations else 'none'}",
        ]
        if self.bit_identical:
            lines.append(f"bit-identical: {self.batches} batches, {self.parameters} parameters")
        return "\n".join(lines)

    def title(self) -> str:
        """One line that names the run, for a picture."""
        sizes = "-".join(map(str, self.layers))
        return f"{self.task}, {sizes}, prune {self.prune}, on {self.device}"

    def write(self, path: Path) -> None:
        """Write the figures as one JSON object."""
        replace_file(path, (json.dumps(asdict(self), indent=2) + "\n").encode())
