# SPDX-License-Identifier: BSD-2-Clause

"""Changes to JSON: any value, anywhere."""

import copy
from typing import Any

from hypothesis import strategies as st

ODD: tuple[Any, ...] = (
    *(-1, 0, 1, 2, 3, 1.5, 0.5, 1e9, -0.0, 1e-320, 1e308, 10**9, 1 << 32, 1 << 63, 10**30),
    *(float("inf"), float("-inf"), float("nan"), True, False, None),
    *("", "483", "0.9", "adam", "constant", "exponential:9:1", "staircase:0.5:1e308", "\x1b[2J\n"),
    *([], {}, [[]], [1, 0.5], [1e999, 1], {"sizes": [6, 3]}, ["relu", "tanh"]),
)
"""Values that have misled a program before, and some that are right elsewhere."""


def any_json() -> st.SearchStrategy[Any]:
    """Any JSON, and the constants that Python takes for it."""
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    tree = st.recursive(
        leaf,
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
        ),
        max_leaves=6,
    )
    return st.sampled_from(ODD) | tree


def beside(value: Any) -> st.SearchStrategy[Any]:
    """Any JSON, and what is nearly a number that is there."""
    if not isinstance(value, int | float):
        return any_json()
    near = (value + 1, value - 1, -value, 2 * value, value / 2, float(value), str(value))
    return st.sampled_from(near) | any_json()


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to all values inside `value`, itself not included."""
    keys = value if isinstance(value, dict) else range(len(value) if isinstance(value, list) else 0)
    found = []
    for key in keys:
        found += [(*path, key), *places(value[key], (*path, key))]
    return found


def changed(value: Any, data: st.DataObject) -> Any:
    """A copy of JSON in which one value, wherever it is, is replaced, removed or added."""
    result = copy.deepcopy(value)
    path = data.draw(st.sampled_from(places(value)), label="place")
    holder = result
    for key in path[:-1]:
        holder = holder[key]
    what = data.draw(st.sampled_from(("replace", "replace", "replace", "remove", "add")))
    if what == "remove":
        del holder[path[-1]]
    elif what == "add" and isinstance(holder, dict):
        holder[data.draw(st.text(max_size=4))] = data.draw(any_json())
    else:
        holder[path[-1]] = data.draw(beside(holder[path[-1]]))
    return result
