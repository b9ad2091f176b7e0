# SPDX-License-Identifier: BSD-2-Clause

"""The errors a user meets: one line that says what is wrong and what to do."""

from typing import ClassVar


class DualgateError(Exception):
    """Base of every error that is not a bug of the host; the CLI prints it and exits.

    Members
    -------
    exit_status : int
        Status of the process: 2 for input or environment.
    """

    exit_status: ClassVar[int] = 2


class InputError(DualgateError):
    """Data or a setting that cannot be used: a shape, a number out of range, an unknown name."""


class FitError(DualgateError):
    """A network that does not fit the engine; names the memory, what it has and what is needed."""


class DeviceError(DualgateError):
    """A device that is unknown, cannot be opened, or broke its protocol."""


class LinkError(DeviceError):
    """A link that failed for good: the port is gone, or nothing answers; says what was tried."""


class HandshakeError(LinkError):
    """A device that this host cannot work with; names what each side has."""


class MissingToolError(DualgateError):
    """A package or program that is not installed; says how to get it."""


class CheckpointError(DualgateError):
    """A checkpoint that cannot be read or does not match."""


class Mismatch(DualgateError):  # noqa: N818 - the word a report uses
    """A device that computed other bits than the golden model; the first difference.

    Parameters
    ----------
    batch : int
        Number of the batch since the device was configured, from 1.
    what : str
        "output", "weight", "velocity", or a counter's name.
    layer : int or None
        Position in `Network.layers`, from 0; None for a counter.
    index : tuple of int
        Entry of the array: (sample, unit) of an output, (row, unit) of a weight or velocity.
    expected, got : int
    """

    exit_status: ClassVar[int] = 1

    def __init__(
        self,
        batch: int,
        what: str,
        layer: int | None,
        index: tuple[int, ...],
        expected: int,
        got: int,
    ) -> None:
        self.batch = batch
        self.what = what
        self.layer = layer
        self.index = index
        self.expected = expected
        self.got = got
        where = "" if layer is None else f" of layer {layer} at [{', '.join(map(str, index))}]"
        super().__init__(
            f"not bit-identical: batch {batch}, {what}{where}: expected {expected}, got {got}"
        )
