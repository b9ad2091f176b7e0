# SPDX-License-Identifier: BSD-2-Clause

"""Forward-mode automatic differentiation by operator overloading.

A `Dual` is a number with its derivatives. Each derivative has a *tag*, the name of the variable it
is taken with respect to. Every operation combines the tangents of its operands by the chain rule,
so that one pass through any Python code yields both value and gradient::

    w, b = variable(2.0, "w"), variable(1.0, "b")
    a = relu(w * 3.0 + b)
    a.value, a.derivative("w"), a.derivative("b")  # 7.0, 3.0, 1.0
"""

import math
import operator
from collections.abc import Callable, Hashable, Mapping
from numbers import Real
from typing import Union

from .elementary import ELEMENTARY

Number = Union[float, "Dual"]


class Dual:
    """A number with its tangents.

    Cost of an operation: one multiplication for each tangent of each operand.

    Parameters
    ----------
    value : float
    tangents : mapping of tag to float
        Derivative of the number with respect to each tag; zero for an absent tag. A tag is any
        hashable object.

    Raises
    ------
    ValueError, ZeroDivisionError, OverflowError
        From an operation outside its domain or range, as for Python's floats.

    Notes
    -----
    Comparisons depend only on values, so code with branches runs as it does on floats. There is no
    conversion to float, which would silently drop the tangents; use `value`.
    """

    __slots__ = ("tangents", "value")

    value: float
    tangents: dict[Hashable, float]

    def __init__(self, value: float, tangents: Mapping[Hashable, float] | None = None) -> None:
        self.value = float(value)
        self.tangents = dict(tangents or {})

    def derivative(self, tag: Hashable) -> float:
        """Return the derivative with respect to `tag`; zero if the number does not depend on it."""
        return self.tangents.get(tag, 0.0)

    def tagged(self, tag: Hashable) -> "Dual":
        """Return the number with a seed: its derivative with respect to `tag` increased by one."""
        return Dual(self.value, {**self.tangents, tag: self.derivative(tag) + 1.0})

    def __repr__(self) -> str:
        return f"Dual({self.value!r}, {self.tangents!r})"

    def __neg__(self) -> "Dual":
        return chain(-self.value, (self, -1.0))

    def __abs__(self) -> "Dual":
        return chain(abs(self.value), (self, float((self.value > 0) - (self.value < 0))))

    def __add__(self, other: Number) -> "Dual":
        return _binary(self, other, _add)

    def __radd__(self, other: Number) -> "Dual":
        return _binary(other, self, _add)

    def __sub__(self, other: Number) -> "Dual":
        return _binary(self, other, _subtract)

    def __rsub__(self, other: Number) -> "Dual":
        return _binary(other, self, _subtract)

    def __mul__(self, other: Number) -> "Dual":
        return _binary(self, other, _multiply)

    def __rmul__(self, other: Number) -> "Dual":
        return _binary(other, self, _multiply)

    def __truediv__(self, other: Number) -> "Dual":
        return _binary(self, other, _divide)

    def __rtruediv__(self, other: Number) -> "Dual":
        return _binary(other, self, _divide)

    def __pow__(self, other: Number) -> "Dual":
        return _binary(self, other, _power)

    def __rpow__(self, other: Number) -> "Dual":
        return _binary(other, self, _power)

    def __lt__(self, other: Number) -> bool:
        return _compare(self, other, operator.lt)

    def __le__(self, other: Number) -> bool:
        return _compare(self, other, operator.le)

    def __gt__(self, other: Number) -> bool:
        return _compare(self, other, operator.gt)

    def __ge__(self, other: Number) -> bool:
        return _compare(self, other, operator.ge)

    def __eq__(self, other: object) -> bool:
        return _compare(self, other, operator.eq)

    __hash__ = None  # type: ignore[assignment]

    def apply(self, name: str) -> "Dual":
        """Apply the elementary function `name`, a key of `ELEMENTARY`."""
        value, slope = ELEMENTARY[name]
        y = value(self.value)
        return chain(y, (self, slope(self.value, y)))

    # numpy calls these for the entries of an array of objects, as in np.exp(array).

    def exp(self) -> "Dual":
        """The exponential."""
        return self.apply("exp")

    def log(self) -> "Dual":
        """The natural logarithm."""
        return self.apply("log")

    def sin(self) -> "Dual":
        """The sine, of radians."""
        return self.apply("sin")

    def cos(self) -> "Dual":
        """The cosine, of radians."""
        return self.apply("cos")

    def tanh(self) -> "Dual":
        """The hyperbolic tangent."""
        return self.apply("tanh")


def variable(value: float, tag: Hashable) -> Dual:
    """Make a variable of a `value`; its derivative with respect to its `tag` is one."""
    return Dual(value).tagged(tag)


def chain(value: float, *operands: tuple[Dual, float]) -> Dual:
    """Make a result by the chain rule.

    Parameters
    ----------
    value : float
        Value of the result.
    operands : (Dual, float)
        The operands, each with the derivative of the result with respect to it. An operand with a
        derivative of zero, such as that of a ReLU below zero, is skipped at no cost.
    """
    tangents: dict[Hashable, float] = {}
    for operand, slope in operands:
        if slope != 0.0:
            for tag, tangent in operand.tangents.items():
                tangents[tag] = tangents.get(tag, 0.0) + slope * tangent
    return Dual(value, tangents)


def _add(x: Dual, y: Dual) -> Dual:
    return chain(x.value + y.value, (x, 1.0), (y, 1.0))


def _subtract(x: Dual, y: Dual) -> Dual:
    return chain(x.value - y.value, (x, 1.0), (y, -1.0))


def _multiply(x: Dual, y: Dual) -> Dual:
    return chain(x.value * y.value, (x, y.value), (y, x.value))


def _divide(x: Dual, y: Dual) -> Dual:
    quotient = x.value / y.value
    return chain(quotient, (x, 1.0 / y.value), (y, -quotient / y.value))


def _power(x: Dual, y: Dual) -> Dual:
    # math.pow raises for a result that is not real, where ** would return a complex number. The
    # derivative by a constant is not computed, since log(x) or x to y - 1 may not exist.
    value, by_base, by_exponent = math.pow(x.value, y.value), 0.0, 0.0
    if x.tangents and y.value:
        by_base = y.value * math.pow(x.value, y.value - 1.0)
    if y.tangents and value:
        by_exponent = value * math.log(x.value)
    return chain(value, (x, by_base), (y, by_exponent))


def _binary(x: Number, y: Number, rule: Callable[[Dual, Dual], Dual]) -> Dual:
    left, right = _dual(x), _dual(y)
    if left is None or right is None:
        return NotImplemented  # type: ignore[no-any-return]
    return rule(left, right)


def _compare(x: Dual, y: object, compare: Callable[[float, float], bool]) -> bool:
    other = _dual(y)
    if other is None:
        return NotImplemented  # type: ignore[no-any-return]
    return compare(x.value, other.value)


def _dual(x: object) -> Dual | None:
    """Return `x` as a Dual, without tangents for a plain number; None for anything else."""
    if isinstance(x, Dual):
        return x
    return Dual(float(x)) if isinstance(x, Real) else None
