# SPDX-License-Identifier: BSD-2-Clause

"""The reference: everything public says what it is, and what its parameters are."""

import enum
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

import dualgate

MODULES = [
    module.name
    for module in pkgutil.walk_packages(dualgate.__path__, "dualgate.")
    if not module.name.rpartition(".")[2].startswith("_")
]


def public(module: ModuleType) -> Iterator[tuple[str, Any, str]]:
    """Name, object and documentation of each class, function and method a module defines."""
    for name, thing in vars(module).items():
        if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(thing):
            # What a base documents holds for the classes that build on it.
            yield name, thing, "\n".join(inspect.getdoc(base) or "" for base in thing.__mro__[:-1])
            for member, function in vars(thing).items():
                field = member in getattr(thing, "__dataclass_fields__", ())
                if not member.startswith("_") and not field:
                    plain = getattr(function, "__func__", getattr(function, "fget", function))
                    if isinstance(plain, FunctionType):
                        doc = inspect.getdoc(getattr(thing, member)) or ""
                        yield f"{name}.{member}", plain, doc
        elif isinstance(thing, FunctionType):
            yield name, thing, inspect.getdoc(thing) or ""


def parameters(thing: Any) -> list[str]:
    """Those of a function, or of the constructor that a class has of its own."""
    if inspect.isclass(thing) and (
        issubclass(thing, enum.Enum)
        or getattr(thing, "_is_protocol", False)
        or "__init__" not in vars(thing)
    ):
        return []
    names = list(inspect.signature(thing).parameters)
    return [name for name in names if name not in ("self", "cls")]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_is(name: str) -> None:
    assert importlib.import_module(name).__doc__


def documents(doc: str, parameter: str) -> bool:
    """Whether it is an entry, as in ``x, y : float``, or in backticks, or the text says where."""
    entry = rf"^(\w+, )*{parameter}(, \w+)*( :.*)?$"
    elsewhere = r"\b(as|for|in|see) `[A-Za-z_.]*[A-Z][A-Za-z_.]*`"
    return bool(re.search(rf"{entry}|`{parameter}`|{elsewhere}", doc, re.MULTILINE | re.IGNORECASE))


def undocumented(name: str) -> list[str]:
    """What says nothing; and, of several parameters, those that are not named."""
    missing = []
    for what, thing, doc in public(importlib.import_module(name)):
        named = parameters(thing)
        if not doc.strip():
            missing.append(what)
        elif len(named) > 1:
            missing += [f"{what}: {p}" for p in named if not documents(doc, p)]
    return missing


# The command line's options are documented by --help, and what it does with them is its own.
API = [name for name in MODULES if not name.startswith("dualgate.cli")]


@pytest.mark.parametrize("name", API)
def test_everything_public_and_its_parameters_are_documented(name: str) -> None:
    assert undocumented(name) == []
