# SPDX-License-Identifier: BSD-2-Clause

"""The types of the estimators' settings; what they mean is checked where they are used."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import isnan
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
    validate_parameter_constraints,
)

from ..contract.errors import InputError
from ..contract.settings import parse_prune
from ..floating import Policy, RelativePerTag


class Number(Interval):
    """A number of any size, which is not a truth value, although Python takes those for integers.

    Parameters
    ----------
    kind : Integral or Real
    """

    def __init__(self, kind: type) -> None:
        super().__init__(kind, None, None, closed="neither")

    def is_satisfied_by(self, val: Any) -> bool:
        """Whether `val` is such a number; NaN is none."""
        return isinstance(val, self.type) and not isinstance(val, bool) and not isnan(val)

    def __str__(self) -> str:
        return "a whole number" if self.type is Integral else "a number"


WHOLE, REAL = Number(Integral), Number(Real)

KINDS: dict[str, tuple[Any, ...]] = {
    "epochs batch patience shift": (WHOLE,),
    "lr momentum l1 l2 dropout validation_fraction": (REAL,),
    "optimiser schedule scale device": (str,),
    "loss initialiser": (str, None),
    "hidden frozen": (WHOLE, "array-like"),
    "activation": (str, "array-like"),
    "prune": (str, REAL, callable),
    "weights": ("array-like", None),
    "seed": (WHOLE, None, np.random.RandomState, np.random.Generator),
    "verbose": ("verbose",),
    "warm_start": ("boolean",),
    "class_weight": (StrOptions({"balanced"}), dict, None),
}
CONSTRAINTS = {name: list(kinds) for names, kinds in KINDS.items() for name in names.split()}
"""Kinds of values of each setting, in the terms of scikit-learn's validation."""

ELEMENTS = {"hidden": [WHOLE], "frozen": [WHOLE], "activation": [str]}
"""Kinds of the elements of settings that are sequences."""


def check_settings(settings: Mapping[str, Any], estimator: str) -> None:
    """Raise `InputError` for a setting of a wrong type.

    Parameters
    ----------
    settings : dict
    estimator : str
        Its name, for the message.
    """
    _check(CONSTRAINTS, settings, estimator)
    for name, kinds in ELEMENTS.items():
        for index, element in enumerate(as_tuple(settings[name])):
            each = f"{name}[{index}]"
            _check({each: kinds}, {each: element}, estimator)
    weights = settings.get("class_weight")
    for label, weight in weights.items() if isinstance(weights, dict) else ():
        each = f"class_weight[{label!r}]"
        _check({each: [REAL]}, {each: weight}, estimator)


def _check(constraints: Mapping[str, Any], settings: Mapping[str, Any], estimator: str) -> None:
    try:
        validate_parameter_constraints(constraints, settings, caller_name=estimator)
    except InvalidParameterError as error:
        raise InputError(" ".join(str(error).split())) from None


def as_tuple(value: Any) -> tuple[Any, ...]:
    """Return a sequence as a tuple, and a number as a tuple of one."""
    return tuple(value) if np.ndim(value) else (value,)


def plain(value: Any) -> Any:
    """Return numbers of numpy as Python's, which a checkpoint can hold; anything else as it is."""
    if isinstance(value, Integral):
        return int(value)
    return float(value) if isinstance(value, Real) else value


def as_prune(prune: Any) -> int | Policy:
    """Return the engine's p for a share such as ``1/4`` or 0.25 or ``off``; a policy as it is.

    Raises
    ------
    InputError
        For a share that is no power of two.
    """
    if callable(prune):
        return prune  # type: ignore[no-any-return]
    try:
        share = Fraction(str(prune))
    except (ValueError, ZeroDivisionError):
        return parse_prune(str(prune))
    return parse_prune(str(share if share.numerator == 1 else prune))


def as_policy(prune: int | Policy) -> Policy:
    """Return the pruning policy of floating point for what `as_prune` returns."""
    return RelativePerTag(prune) if isinstance(prune, int) else prune


def as_engine_prune(prune: int | Policy) -> int:
    """Return p; raises `InputError` for a policy, which no engine has."""
    if isinstance(prune, int):
        return prune
    raise InputError(
        f"an engine cannot prune by {prune!r}; give a share such as 1/4, or device='float'"
    )


def as_seed(seed: Any) -> int:
    """Return a seed; for None, a RandomState and a Generator, one that is drawn."""
    if isinstance(seed, Integral):
        return int(seed)
    if isinstance(seed, np.random.Generator):
        return int(seed.integers(1 << 31))
    return int(check_random_state(seed).randint(1 << 31, dtype=np.int64))


def as_arrays(weights: Iterable[Any] | None) -> list[NDArray[Any]] | None:
    """Return initial weights as arrays; raises `InputError` for what is none."""
    if weights is None:
        return None
    try:
        return [np.asarray(w) for w in weights]
    except ValueError:
        raise InputError("weights: give an array (inputs + 1, outputs) for each layer") from None
