# SPDX-License-Identifier: BSD-2-Clause

"""The directory of a run: the names of its files, and the one process that writes them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from ..contract.errors import InputError
from ..data.files import check_target
from ..train.checkpoint import Checkpoint
from .description import Description

LOCK = ".lock"


class RunDirectory:
    """The files of a run.

    Parameters
    ----------
    path : Path

    Members
    -------
    checkpoint, description, history : Path
    curves, confusion, weights, report : Path
        Pictures, and the page of `dualgate report`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.npz"
        self.description = path / "run.json"
        self.history = path / "history.jsonl"
        self.curves = path / "curves.png"
        self.confusion = path / "confusion.png"
        self.weights = path / "weights.png"
        self.report = path / "report.html"

    @classmethod
    def choose(cls, name: str, given: Path | None, resume: bool, overwrite: bool) -> "RunDirectory":
        """Choose where a run is written.

        Parameters
        ----------
        name : str
            Name of the task or data set.
        given : Path or None
            Directory that the user named; by default ``runs/NAME``, or the first of
            ``runs/NAME-2``, ``runs/NAME-3`` ... that holds no run. With `resume`, the last of these
            that holds one.
        resume, overwrite : bool

        Raises
        ------
        InputError
            If the directory that the user named holds a run, which neither `resume` nor `overwrite`
            is for; or one of its files could not be written.
        """
        if given is None:
            names = (Path("runs") / (name if n == 1 else f"{name}-{n}") for n in count(1))
            last = None
            for path in names:
                if not cls(path).holds_run:
                    given = last if resume and last is not None else path
                    break
                last = path
        assert given is not None
        chosen = cls(given)
        if chosen.holds_run and not (resume or overwrite):
            raise InputError(
                f"{given} holds another run; go on with it by --resume, replace it by --overwrite, "
                "or give another --out"
            )
        if resume and not chosen.checkpoint.exists():
            raise InputError(f"{given} holds no run to go on with; leave out --resume")
        for path in chosen.files:
            check_target(path)
        return chosen

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that a run may write here."""
        pictures = (self.curves, self.confusion, self.weights, self.report)
        return (self.checkpoint, self.description, self.history, *pictures)

    @property
    def holds_run(self) -> bool:
        """Whether the directory holds a checkpoint, or somebody writes one right now."""
        return self.checkpoint.exists() or self._is_locked()

    def _is_locked(self) -> bool:
        if not (self.path / LOCK).exists():
            return False
        try:
            with FileLock(self.path / LOCK, blocking=False):
                return False
        except (Timeout, OSError):
            return True

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the lock of the directory.

        The directory is created if it is missing, and removed again if nothing was written.

        Raises
        ------
        InputError
            If another process holds the lock, or the directory cannot be written.
        """
        created = [path for path in (self.path, *self.path.parents) if not path.exists()]
        lock = FileLock(self.path / LOCK, blocking=False)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise InputError(
                f"another process writes the run in {self.path}; wait for it, or give another --out"
            ) from None
        except OSError as error:
            raise InputError(
                f"cannot write {self.path}: {error.strerror}; choose another --out"
            ) from None
        try:
            yield
        finally:
            lock.release()
            (self.path / LOCK).unlink(missing_ok=True)
            with suppress(OSError):  # of a directory that is not empty
                for path in created:
                    path.rmdir()

    def begin(self, description: Description, checkpoint: Checkpoint) -> None:
        """Write `description` and first `checkpoint` of a run; remove what is left of another."""
        description.write(self.description)
        checkpoint.save(self.checkpoint)
        for path in self.files:
            if path not in (self.description, self.checkpoint):
                path.unlink(missing_ok=True)
