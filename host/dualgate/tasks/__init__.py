# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: a data set, a network and a recipe under one name."""

from .table import TASKS, find_task
from .task import Goal, Task

__all__ = ["TASKS", "Goal", "Task", "find_task"]
