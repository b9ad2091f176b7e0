# SPDX-License-Identifier: BSD-2-Clause

"""Runs: the directories that `dualgate train` writes, and what other commands read from them."""

from .description import Description
from .directory import RunDirectory
from .run import Run, load_run

__all__ = ["Description", "Run", "RunDirectory", "load_run"]
