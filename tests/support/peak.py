# SPDX-License-Identifier: BSD-2-Clause

"""The memory that a command takes in a process of its own."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

LIMIT = 200e6
"""Most bytes that a refused file may take: of the whole process, with all packages it imports."""

CODE = """
import re, sys
{before}
def peak():
    return 1000 * int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
start = peak()
from dualgate.cli import main
try:
    main({args!r})
except SystemExit as end:
    print(f"\\n{{end.code}} {{peak()}} {{start}}")
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    status : int
    message : str
        What it wrote to the standard error.
    peak : int
        Most bytes of memory that the process had.
    grown : int
        How many of them were not there after `before`.
    """

    status: int
    message: str
    peak: int
    grown: int


def command(*args: object, here: Path, before: str = "") -> Ended:
    """Run a command in the directory `here`, after the statement `before`."""
    code = CODE.format(args=[str(arg) for arg in args], before=before)
    # resource's figure is that of this process, where it is larger.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=here,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    try:
        status, peak, start = map(int, done.stdout.splitlines()[-1].split())
    except (IndexError, ValueError):
        raise AssertionError(done.stdout + done.stderr) from None
    return Ended(status, done.stderr, peak, peak - start)
