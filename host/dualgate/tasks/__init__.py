# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: a data set, a network and a recipe under one name."""

from .own_task import own_task
from .registry import find_task, load_tasks, spelled
from .table import TASKS
from .task import Goal, Task

__all__ = ["TASKS", "Goal", "Task", "find_task", "load_tasks", "own_task", "spelled"]
