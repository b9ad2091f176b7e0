# SPDX-License-Identifier: BSD-2-Clause

"""From the fastest placement to the bitstream."""

import hashlib
import os
import shutil

from dualgate.contract.errors import DeviceError

from .job import NAME, Build, Commands, Tools
from .place import PLACED
from .timing import Timing


def pack(job: Build, tools: Tools, commands: Commands, timing: tuple[Timing, ...]) -> str:
    """Make the bitstream and return its hash.

    Raises
    ------
    DeviceError
        When the tool fails or leaves no bitstream.
    """
    job.step("packing")
    best = max(timing, key=lambda found: found.mhz)
    for end in PLACED:
        placed = job.directory / f"{NAME}_{best.seed}.{end}"
        if placed.exists():
            shutil.copy(placed, job.directory / f"{NAME}.{end}")
    name = list(tools)[-1]
    packed = job.directory / f"packed.{job.family.bitstream}"
    arguments = [packed.name if a == job.bitstream.name else a for a in commands[name]]
    packed.unlink(missing_ok=True)
    tools[name].run(arguments, job.directory, job.pack_log)
    if not packed.exists():
        raise DeviceError(f"{name} left no bitstream; see {job.pack_log}")
    # Renamed only now, so that a file of the bitstream's name is always complete.
    os.replace(packed, job.bitstream)
    return hashlib.sha256(job.bitstream.read_bytes()).hexdigest()
