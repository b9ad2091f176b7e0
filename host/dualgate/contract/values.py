# SPDX-License-Identifier: BSD-2-Clause

"""Kinds of values in settings and in files, and the check that a value is of its kind.

A kind is a type that msgspec knows, with its range, and with words for the message. The same kinds
are checked where a file is read and where settings are made in Python. Types are strict: 1.0 is no
whole number, true is no number, and no number but a `Number` is infinite.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields
from reprlib import repr as short
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from .errors import InputError

MOST = (1 << 63) - 1
"""Largest whole number but for seeds."""

MOST_ITEMS = 1024
"""Largest number of layers, and of letters of a name; it bounds the length of messages."""

LARGEST = sys.float_info.max
NUMPY = (np.generic, np.ndarray)

Whole = Annotated[int, Meta(ge=-MOST, le=MOST, description="a whole number")]
Wholes = Annotated[
    tuple[Whole, ...],
    Meta(max_length=MOST_ITEMS, description="whole numbers, such as (64, 32, 10)"),
]
Count = Annotated[int, Meta(ge=0, le=MOST, description="a whole number of 0 or more")]
Seed = Annotated[int, Meta(ge=0, description="a whole number of 0 or more")]
Number = Annotated[float, Meta(description="a number")]
"""A number whose range is checked elsewhere, and with it that it is finite."""

Real = Annotated[float, Meta(ge=-LARGEST, le=LARGEST, description="a finite number")]
Amount = Annotated[float, Meta(ge=0.0, le=LARGEST, description="a finite number of 0 or more")]
Positive = Annotated[float, Meta(gt=0.0, le=LARGEST, description="a finite number above 0")]
Positives = Annotated[tuple[Positive, ...], Meta(description="numbers above 0")]
Share = Annotated[float, Meta(ge=0.0, le=1.0, description="a number from 0 to 1")]
Name = Annotated[str, Meta(max_length=MOST_ITEMS, description="a name")]
Names = Annotated[Name | tuple[Name, ...], Meta(description="a name, or a tuple of names")]
NameOrNone = Annotated[Name | None, Meta(description="a name or None")]


def checked(name: str, value: object, kind: Any) -> Any:
    """Return a value as its kind; a number of numpy becomes one of Python, a sequence a tuple.

    Parameters
    ----------
    name : str
        What the value is, for the message.
    value : object
    kind
        One of this module.

    Raises
    ------
    InputError
        For a value of another type, out of the range of the kind, or not finite.
    """
    try:
        return msgspec.convert(_plain(value), kind)
    except msgspec.ValidationError:
        words = kind.__metadata__[-1].description
        raise InputError(f"{name} {_short(value)}: give {words}") from None


def check_fields(settings: Any) -> None:
    """Check each field of a frozen dataclass by its kind, and replace it by the checked value.

    Call it first in ``__post_init__``, so that the comparisons after it cannot fail.

    Parameters
    ----------
    settings : dataclass instance
        Every field is annotated with a kind of this module.

    Raises
    ------
    InputError
        For a field that `checked` refuses.
    """
    for each in fields(settings):
        value = checked(each.name.replace("_", " "), getattr(settings, each.name), each.type)
        object.__setattr__(settings, each.name, value)


def _short(value: object) -> str:
    """Write a value of any type in a few words on one line."""
    try:
        return " ".join(short(value.tolist() if isinstance(value, NUMPY) else value).split())
    except ValueError:  # Python writes no integer of more than 4300 digits.
        return "of thousands of digits"


def _plain(value: object) -> object:
    if isinstance(value, NUMPY):
        return value.tolist()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable):
        return value
    return [each.item() if isinstance(each, np.generic) else each for each in value]
