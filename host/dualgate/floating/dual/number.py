# SPDX-License-Identifier: BSD-2-Clause

"""Forward-mode automatic differentiation by operator overloading.

A `Dual` is a number that carries its derivatives along. Each is filed under a *tag*, which names
what it is a derivative with respect to; every operation combines the tangents of its operands by
the chain rule, so that one pass through any Python code yields value and gradient together::

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
        Derivative of the number with respect to each tag; a tag that is absent stands for zero.
        A tag is anything hashable.

    Raises
    ------
    ValueError, ZeroDivisionError, OverflowError
        From an operation outside of its domain or range, as for Python's own floats.

    Notes
    -----
    Comparisons look at values alone, so code with branches runs as it does on floats. There is no
    conversion to float, which would drop the tangents unseen: ask for `value`.
    """

    __slots__ = ("tangents", "value")

    value: float
    tangents: dict[Hashable, float]

    def __init__(self, value: float, tangents: Mapping[Hashable, float] | None = None) -> None:
        self.value = float(value)
        self.tangents = dict(tangents or {})

    def derivative(self, tag: Hashable) -> float:
        """Derivative with respect to `tag`; zero where the number does not depend on it."""
        return self.tangents.get(tag, 0.0)

    def tagged(self, tag: Hashable) -> "Dual":
        """The same number, with one more as its derivative with respect to `tag`: a seed."""
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
        """The elementary function `name`, a key of `ELEMENTARY`, of this number."""
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
    """A `value` to differentiate with respect to: its derivative by its own `tag` is one."""
    return Dual(value).tagged(tag)


def chain(value: float, *operands: tuple[Dual, float]) -> Dual:
    """The chain rule: a result from the numbers it depends on.

    Parameters
    ----------
    value : float
        Of the result.
    operands : (Dual, float)
        What the result was computed from, and its derivative with respect to that. A derivative
        of zero, such as that of a ReLU below zero, passes nothing on and costs nothing.
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
    # math.pow refuses what has no real result, where ** would turn complex. A constant's
    # derivative is not asked for: log(x), or x to y - 1, may not exist.
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
    """`x` as a Dual, a plain number as one without tangents; None for anything else."""
    if isinstance(x, Dual):
        return x
    return Dual(float(x)) if isinstance(x, Real) else None
