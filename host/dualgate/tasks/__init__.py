# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: a data set, a network and a recipe under one name."""

from ..data.own import OwnData
from .own_task import load_data, own_task
from .registry import find_task, load_tasks, spelled
from .table import TASKS
from .task import Goal, Task

__all__ = [
    "TASKS",
    "Goal",
    "OwnData",
    "Task",
    "find_task",
    "load_data",
    "load_tasks",
    "own_task",
    "spelled",
]
