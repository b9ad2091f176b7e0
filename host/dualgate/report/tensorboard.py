# SPDX-License-Identifier: BSD-2-Clause

"""Event files for TensorBoard, written epoch by epoch by tensorboardX, which is optional."""

import os
from collections.abc import Sequence
from pathlib import Path
from time import time
from types import TracebackType
from typing import Self

from ..contract.errors import InputError, MissingToolError
from ..train.record import Record

TAGS = {
    "loss/train": "loss",
    "loss/held_out": "held_out_loss",
    "accuracy/train": "accuracy",
    "accuracy/held_out": "held_out_accuracy",
    "cost/cycles_per_sample": "cycles_per_sample",
    "cost/tangents_kept": "kept_fraction",
    "cost/samples_per_s": "samples_per_s",
    "clipped": "saturations",
}
"""Names of the curves in TensorBoard, each with the field of `Record`."""


class EventWriter:
    """A writer of the curves of one run; a context manager.

    Parameters
    ----------
    directory : Path
        It is created if it is missing. TensorBoard shows each directory as a run.
    earlier : sequence of Record
        Epochs that were finished before; they are written first. TensorBoard shows nothing that an
        earlier writer left in the same directory, so that no curve is drawn twice.

    Raises
    ------
    InputError
        If the directory cannot be written.
    MissingToolError
        If tensorboardX is not installed.
    """

    def __init__(self, directory: Path, earlier: Sequence[Record] = ()) -> None:
        try:
            from tensorboardX.event_file_writer import EventsWriter
            from tensorboardX.proto.event_pb2 import Event, SessionLog
            from tensorboardX.proto.summary_pb2 import Summary
        except ImportError:
            raise MissingToolError(
                "--tensorboard: tensorboardX is missing; pip install dualgate[tensorboard]"
            ) from None
        self._event, self._summary = Event, Summary
        # The name has only the second, and a later writer must not overwrite this one's file.
        suffix = f".{len(earlier):06}.{os.getpid()}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            # Not SummaryWriter: its queue may still hold an epoch after it was told to write it.
            self._file = EventsWriter(str(directory / "events"), suffix)
        except OSError as error:
            raise InputError(
                f"cannot write {directory}: {error.strerror}; choose another --tensorboard"
            ) from None
        start = SessionLog(status=SessionLog.START)
        self._file.write_event(Event(wall_time=time(), step=0, session_log=start))
        for record in earlier:
            self.epoch(record)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()

    def epoch(self, record: Record) -> None:
        """Write the figures of an epoch, so that TensorBoard shows them while the run goes on."""
        values = {tag: getattr(record, name) for tag, name in TAGS.items()}
        shown = self._summary(
            value=[
                self._summary.Value(tag=tag, simple_value=value)
                for tag, value in values.items()
                if value is not None
            ]
        )
        self._file.write_event(self._event(wall_time=time(), step=record.epoch, summary=shown))
        self._file.flush()
