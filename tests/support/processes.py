# SPDX-License-Identifier: BSD-2-Clause

"""Commands in processes of their own, which are told to end by a signal."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAIN = "from dualgate.cli import main; main()"

PATIENCE_S = 120
"""Seconds after which a process hangs, however busy the machine is."""


IGNORING = ("sh", "-c", 'trap "" INT TERM; exec "$@"', "sh")
"""Runs a command as a shell runs ``nohup command &`` in a script: what ends it is ignored."""


@contextmanager
def background(*args: str, code: str = MAIN, **more: Any) -> Iterator[subprocess.Popen[str]]:
    """Run a command that inherits ignored signals; it is killed at the end of the block.

    Parameters
    ----------
    args : str
        Arguments of the command.
    code : str
        Python that runs it.
    more
        Further arguments of `subprocess.Popen`.
    """
    with subprocess.Popen(
        [*IGNORING, sys.executable, "-c", code, *args],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **more,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def end(process: subprocess.Popen[str], number: int) -> tuple[int, str, str]:
    """Send a signal; return the status and what else the process says on both outputs."""
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    return process.returncode, out, err


def wait_until(happened: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something has happened, while a process goes on."""
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def descendants(process: subprocess.Popen[str]) -> list[str]:
    """List the other processes of a process' session that run, by their names."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except (FileNotFoundError, ProcessLookupError):
            continue
        state, _, _, session = rest.split()[:4]
        if int(session) == process.pid and state != "Z" and stat.parent.name != str(process.pid):
            found.append(name)
    return found
