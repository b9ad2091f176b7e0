# SPDX-License-Identifier: BSD-2-Clause

"""Tasks of other packages: they are found, and one that fails harms no other."""

import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from types import SimpleNamespace
from typing import Any

import pytest

from dualgate.contract.errors import InputError
from dualgate.tasks import TASKS, find_task, registry

BUILTIN = EntryPoint("builtin", "dualgate.tasks.table:TASKS", "dualgate.tasks")
SHOP = replace(TASKS["iris"], about="customers of a shop")


def register(monkeypatch: pytest.MonkeyPatch, table: Any) -> None:
    """Install a package, so to speak, whose entry ``alpha`` sorts before the built-in one."""
    other = EntryPoint("alpha", "shop_tasks:TASKS", "dualgate.tasks")
    if table is not None:
        monkeypatch.setitem(sys.modules, "shop_tasks", SimpleNamespace(TASKS=table))
    monkeypatch.setattr(registry, "entry_points", lambda group: [other, BUILTIN])


def test_a_task_of_another_package_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {"Shop": SHOP})
    assert find_task("Shop") is SHOP
    assert find_task("iris") is TASKS["iris"]
    assert registry.load_tasks()[1] == []


def test_a_name_that_is_taken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {"iris": SHOP})
    tasks, failures = registry.load_tasks()
    assert tasks == dict(TASKS)
    assert failures == ["tasks of alpha are not available: iris is there already"]


def test_a_package_that_fails_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, None)
    tasks, failures = registry.load_tasks()
    assert tasks == dict(TASKS)
    assert failures == ["tasks of alpha are not available: No module named 'shop_tasks'"]
    with pytest.raises(InputError, match=r"^unknown task 'shop'; .*; tasks of alpha are not avail"):
        find_task("shop")


def test_a_table_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, [SHOP])
    tasks, failures = registry.load_tasks()
    assert tasks == dict(TASKS)
    assert len(failures) == 1
    assert failures[0].startswith("tasks of alpha are not available: ")


def test_names_are_found_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, {"Shop": SHOP})
    assert registry.spelled("sHOP") == "Shop"
    assert registry.spelled("IRIS") == "iris"
    assert registry.spelled("irises") is None
