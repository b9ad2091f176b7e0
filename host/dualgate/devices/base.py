# SPDX-License-Identifier: BSD-2-Clause

"""The device interface, and the function that opens a device by its name."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from importlib.metadata import entry_points
from typing import Self
from urllib.parse import parse_qsl

import numpy as np
from numpy.typing import NDArray

from ..contract.commands import COUNTERS, Masks
from ..contract.engine import EngineParameters
from ..contract.errors import DeviceError, InputError, MissingToolError
from ..contract.formats import MAX_BATCH
from ..contract.layout import Layout
from ..contract.names import unknown
from ..contract.network import Network
from ..contract.settings import Settings
from ..contract.values import Count

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Counters:
    """Counts of a device; see `commands.COUNTERS`. `cycles` is 0 if the device has no clock."""

    cycles: Count = 0
    value_rows: Count = 0
    tangent_rows: Count = 0
    scale_rows: Count = 0
    update_rows: Count = 0
    kept: Count = 0
    dropped: Count = 0
    saturated_values: Count = 0
    saturated_updates: Count = 0
    saturated_weights: Count = 0

    def __add__(self, other: "Counters") -> "Counters":
        theirs = asdict(other)
        return Counters(**{name: value + theirs[name] for name, value in asdict(self).items()})

    def __sub__(self, other: "Counters") -> "Counters":
        theirs = asdict(other)
        return Counters(**{name: value - theirs[name] for name, value in asdict(self).items()})

    @property
    def saturations(self) -> int:
        """Total number of clipped values."""
        return self.saturated_values + self.saturated_updates + self.saturated_weights

    @property
    def kept_fraction(self) -> float:
        """Share of the tangents crossing hidden layers that were kept; 1 if there were none."""
        total = self.kept + self.dropped
        return self.kept / total if total else 1.0


assert tuple(field.name for field in fields(Counters)) == COUNTERS


class Device(ABC):
    """An engine: real, simulated or golden. All arrays are integers in the network's formats.

    Use it as a context manager, or call `close`.
    """

    @abstractmethod
    def configure(self, network: Network, update_frac: int) -> None:
        """Set the network; weights and velocity are zero until written.

        Parameters
        ----------
        network : Network
        update_frac : int
            Fraction bits of the update scalars; see `settings.update_frac`.

        Raises
        ------
        FitError
            If the network does not fit the engine; the message names the memory.
        """

    @property
    @abstractmethod
    def engine(self) -> EngineParameters:
        """Parameters of the engine, real or modelled; raises `DeviceError` before `configure`."""

    @abstractmethod
    def set(self, settings: Settings) -> None:
        """Set rate, momentum, pruning and the use of masks, from the next sample on.

        Raises
        ------
        InputError
            For masks without a hidden layer.
        """

    @abstractmethod
    def write_weights(self, weights: Sequence[Ints]) -> None:
        """Write master weights, (inputs + 1, outputs) for each layer, in `formats.MASTER`."""

    @abstractmethod
    def read_weights(self) -> list[Ints]:
        """Read master weights."""

    @abstractmethod
    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        """Write velocities, of the shape of the weights; in_frac + update_frac fraction bits."""

    @abstractmethod
    def read_velocity(self) -> list[Ints]:
        """Read velocities; between `train` and `apply` they include the gradient of the batch."""

    @abstractmethod
    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        """Accumulate the gradient of samples into the velocity.

        Parameters
        ----------
        x : int array (samples, inputs)
        target : int array (samples, outputs)
        masks : sequence of bool array (samples, units) or None
            For each hidden layer, the units that take part. Value and slope of the others are zero.

        Returns
        -------
        int array (samples, outputs)
            Outputs of the network, with the weights before the update.

        Raises
        ------
        InputError
            For masks of another shape, or unless masks are given exactly if the settings say so.
        """

    @abstractmethod
    def apply(self) -> None:
        """End a batch: ``weights -= velocity``, then ``velocity *= momentum``."""

    @abstractmethod
    def infer(self, x: Ints) -> Ints:
        """Compute the outputs (samples, outputs) of inputs (samples, inputs)."""

    @abstractmethod
    def counters(self) -> Counters:
        """Read the counts since the device was opened."""

    @abstractmethod
    def close(self) -> None:
        """Release the device; it cannot be used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class EngineDevice(Device):
    """A device with one engine, which has a memory layout and a limit on the size of a batch."""

    def __init__(self) -> None:
        self._layout: Layout | None = None
        self._samples = 0

    @property
    def layout(self) -> Layout:
        """Layout of the configured network; raises `DeviceError` before `configure`."""
        if self._layout is None:
            raise DeviceError("the device has no network yet; call configure first")
        return self._layout

    @property
    def engine(self) -> EngineParameters:
        return self.layout.engine

    def _check_settings(self, settings: Settings) -> None:
        """Raise `InputError` for masks without a hidden layer."""
        if settings.masked and len(self.layout.network.layers) == 1:
            raise InputError("the network has no hidden layer to mask; use settings without masks")

    def _begin_samples(self, count: int, masked: bool, masks: Masks | None) -> None:
        """Count samples of a batch.

        Raises
        ------
        InputError
            Beyond the limit of a batch, or for masks that do not match the settings; then no
            sample is counted.
        """
        if masked != (masks is not None):
            raise InputError(
                "the settings are for samples with masks; give masks"
                if masked
                else "the settings are for samples without masks; give none"
            )
        hidden = self.layout.network.sizes[1:-1]
        have = [np.shape(mask) for mask in masks or ()]
        if masks is not None and have != [(count, units) for units in hidden]:
            raise InputError(f"masks have shapes {have}; {count} samples need {count} x {hidden}")
        if self._samples + count > MAX_BATCH:
            raise InputError(f"batch of more than {MAX_BATCH} samples; use smaller batches")
        self._samples += count


def open_device(spec: str, **options: object) -> Device:
    """Open a device.

    Parameters
    ----------
    spec : str
        ``kind[:address][?key=value&...]``, for instance ``golden``, ``sim?neurons=8``.
    options
        Further options of the kind, such as ``neurons=16``; those in `spec` take precedence.

    Raises
    ------
    DeviceError
        For an unknown kind, or if the device cannot be opened.
    InputError
        For an option that the kind does not have.
    MissingToolError
        If a package that the kind needs is not installed.
    """
    path, _, query = spec.partition("?")
    kind, _, address = path.partition(":")
    kind = kind.lower()
    known = {entry.name: entry for entry in entry_points(group="dualgate.devices")}
    if kind not in known:
        raise DeviceError(unknown("device", kind, sorted(known)))
    merged: dict[str, object] = {**options, **dict(parse_qsl(query))}
    if address:
        merged["address"] = address
    try:
        factory: Callable[..., Device] = known[kind].load()
    except ImportError as error:
        if error.name is None or not isinstance(error, ModuleNotFoundError):
            raise DeviceError(f"device {kind}: {known[kind].module} fails: {error}") from error
        raise MissingToolError(
            f"device {kind} needs {error.name}, which is missing; see dualgate doctor"
        ) from error
    except Exception as error:  # whatever the module of somebody else's package may raise
        raise DeviceError(
            f"device {kind}: {known[kind].module} fails: {type(error).__name__}: {error}; the "
            "other devices can be used"
        ) from error
    try:
        return factory(**merged)
    except ValueError as error:
        raise InputError(f"device {spec}: {error}") from error
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        raise InputError(f"device {kind}: {str(error).split('() ')[-1]}") from None
