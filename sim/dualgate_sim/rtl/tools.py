# SPDX-License-Identifier: BSD-2-Clause

"""Tools that compile, run so that all of them can be stopped, and what they say kept."""

import contextlib
import errno
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dualgate.contract.errors import DeviceError
from dualgate.data.directories import cache_directory

WORDS = 40
"""Number of words of a tool's messages that are quoted where they cannot be kept."""


def run(command: Sequence[str | Path], directory: Path, what: str = "the RTL") -> str:
    """Run a tool, which may use `directory` for temporary files, and return its output.

    Messages name `what` is being compiled.

    Raises
    ------
    DeviceError
        When it fails or is stopped, with the file of its messages.
    OSError
        When it fails because the disk of `directory` is full.
    """
    # A tool has children of its own; in a group of their own they can be stopped together.
    with subprocess.Popen(
        command,
        cwd=directory,
        # What a tool that is stopped leaves behind goes with the directory.
        env={**os.environ, "TMPDIR": str(directory), "LC_ALL": "C"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as process:
        _running.add(process)
        try:
            said, _ = process.communicate()
        except BaseException:
            _stop(process)
            raise
        finally:
            _running.discard(process)
    if process.returncode == -signal.SIGKILL:
        raise DeviceError(f"{Path(command[0]).name} was stopped while compiling {what}")
    if process.returncode and os.strerror(errno.ENOSPC) in said:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(directory))
    if process.returncode:
        raise DeviceError(f"{Path(command[0]).name} failed while compiling {what}{_kept(said)}")
    return said


_running: set[subprocess.Popen[str]] = set()
"""Tools that run now, in any thread."""


def stop_all() -> None:
    """Stop all tools that run now, in any thread."""
    for process in tuple(_running):
        _stop(process)


def _stop(process: subprocess.Popen[str]) -> None:
    """Stop a tool and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _kept(said: str) -> str:
    """Keep the messages of a tool in a file and say which, or quote their end."""
    log = cache_directory() / "compile-error.log"
    try:
        log.write_text(said)
    except OSError:
        return ": " + " ".join(said.split()[-WORDS:])
    return f"; see {log}"
