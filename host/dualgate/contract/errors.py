# SPDX-License-Identifier: BSD-2-Clause

"""Errors for the user: one line with the problem and the remedy."""

from typing import ClassVar


class DualgateError(Exception):
    """Base of all errors that are not bugs of the host; the command line prints it and exits.

    Members
    -------
    exit_status : int
        Exit status of the process: 2 for errors of the input or the environment.
    """

    exit_status: ClassVar[int] = 2


class InputError(DualgateError):
    """Unusable data or settings: a wrong shape, a number out of range, an unknown name."""


class FitError(DualgateError):
    """A network that does not fit the engine; names the memory, its size and the size needed."""


class DeviceError(DualgateError):
    """A device that is unknown, cannot be opened, or violates the protocol."""


class LinkError(DeviceError):
    """A link that failed permanently: the port is gone or the device does not answer."""


class NoAnswerError(LinkError):
    """A port that can be opened, but where no board answers."""


class HandshakeError(LinkError):
    """A device that is incompatible with this host; names the versions of both."""


class MissingToolError(DualgateError):
    """A missing package or program; says how to install it."""


class CheckpointError(DualgateError):
    """A checkpoint that cannot be read or does not match the run."""


class Mismatch(DualgateError):  # noqa: N818 - the word a report uses
    """The first difference between a device and the golden model.

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
