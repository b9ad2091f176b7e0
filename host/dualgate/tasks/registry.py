# SPDX-License-Identifier: BSD-2-Clause

"""All tasks: tables of them register through the entry points ``dualgate.tasks``."""

from collections.abc import Mapping
from importlib.metadata import entry_points

from ..contract.errors import InputError
from ..contract.names import unknown
from .task import Task


def load_tasks() -> tuple[dict[str, Task], list[str]]:
    """Load the tables of all packages.

    Returns
    -------
    dict, list of str
        Tasks by name, and a line for each table that cannot be loaded.
    """
    tasks: dict[str, Task] = {}
    failures: list[str] = []
    entries = sorted(entry_points(group="dualgate.tasks"), key=lambda entry: entry.name)
    for entry in sorted(entries, key=lambda entry: entry.module != "dualgate.tasks.table"):
        try:
            table: Mapping[str, Task] = entry.load()
            both = tasks.keys() & table.keys()
            if both:
                raise ValueError(f"{sorted(both)[0]} is there already")
            tasks |= table
        except Exception as error:
            failures.append(f"tasks of {entry.name} are not available: {error}")
    return tasks, failures


def spelled(name: str) -> str | None:
    """Return a task's name as the task spells it, whatever the case of `name`; None if unknown."""
    return {each.casefold(): each for each in load_tasks()[0]}.get(name.casefold())


def find_task(name: str) -> Task:
    """Look up a task by its exact name.

    Raises
    ------
    InputError
        For an unknown name; names the choices.
    """
    tasks, failures = load_tasks()
    if name not in tasks:
        raise InputError("; ".join((unknown("task", name, tasks), *failures)))
    return tasks[name]
