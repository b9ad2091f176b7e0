# SPDX-License-Identifier: BSD-2-Clause

"""Dual numbers: the documents' worked examples, and sympy on expressions made by chance."""

import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from support.effort import examples

from dualgate.contract.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS, LEAK
from dualgate.floating import dual as ad
from dualgate.floating.dual import Dual, variable
from dualgate.floating.dual.elementary import ELEMENTARY

RATIONAL_LEAK = sympy.Rational(LEAK)

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
}

# The function on Dual numbers, its symbolic twin (which takes its branch by the value at hand: of
# nested conditions sympy loses track), and whether x is in its domain, clear of kinks.
UNARY: dict[str, tuple[Any, Any, Callable[[float], bool]]] = {
    "neg": (operator.neg, lambda s, x: -s, lambda x: True),
    "exp": (ad.exp, lambda s, x: sympy.exp(s), lambda x: x < 5),
    "log": (ad.log, lambda s, x: sympy.log(s), lambda x: x > 0.05),
    "sin": (ad.sin, lambda s, x: sympy.sin(s), lambda x: True),
    "cos": (ad.cos, lambda s, x: sympy.cos(s), lambda x: True),
    "tanh": (ad.tanh, lambda s, x: sympy.tanh(s), lambda x: True),
    "sigmoid": (ad.sigmoid, lambda s, x: 1 / (1 + sympy.exp(-s)), lambda x: True),
    "relu": (ad.relu, lambda s, x: s if x > 0 else s * 0, lambda x: abs(x) > 0.01),
    "leaky_relu": (
        ad.leaky_relu,
        lambda s, x: s if x > 0 else RATIONAL_LEAK * s,
        lambda x: abs(x) > 0.01,
    ),
    "abs": (abs, lambda s, x: s if x > 0 else -s, lambda x: abs(x) > 0.01),
}

NAMES = ("x", "y", "z")
numbers = st.integers(-40, 40).map(lambda n: n / 8)  # exact in binary, so sympy has the same
steps = st.tuples(
    st.sampled_from([*BINARY, *UNARY]), st.integers(0, 20), st.integers(0, 20), st.booleans()
)


def defined(name: str, x: float, y: float) -> bool:
    """Whether the operation exists, and is clear of poles and kinks."""
    if name in UNARY:
        return UNARY[name][2](x)
    if name == "**":
        return 0.05 < x < 20 and abs(y) < 5
    return name != "/" or abs(y) > 0.05


def size(number: Dual) -> float:
    return max(map(abs, (number.value, *number.tangents.values())))


@examples(300)
@given(st.tuples(numbers, numbers, numbers), numbers, st.lists(steps, min_size=4, max_size=9))
def test_a_random_expression_has_the_derivatives_that_sympy_finds(
    where: tuple[float, float, float], constant: float, program: list[tuple[str, int, int, bool]]
) -> None:
    """Each step works on earlier results or on a constant; what is not defined is left out."""
    symbols = [sympy.Symbol(name, real=True) for name in NAMES]
    results = [
        (variable(value, name), symbol)
        for value, name, symbol in zip(where, NAMES, symbols, strict=True)
    ]
    for name, i, j, plain in program:
        (one, left), (two, right) = results[-1 - i % len(results)], results[j % len(results)]
        other, its = (constant, sympy.Rational(constant)) if plain else (two, right)
        if not defined(name, one.value, constant if plain else two.value):
            continue
        if name in UNARY:
            new = UNARY[name][0](one), UNARY[name][1](left, one.value)
        else:
            new = BINARY[name](one, other), BINARY[name](left, its)
        if size(new[0]) < 1e4:
            results.append(new)
    got, expression = results[-1]
    assume(len(results) > 5)
    places = dict(zip(symbols, map(sympy.Rational, where), strict=True))
    tolerance = 1e-14 * max(size(number) for number, _ in results) ** 2  # what may have cancelled
    want = [expression, *(sympy.diff(expression, symbol) for symbol in symbols)]
    have = [got.value, *(got.derivative(name) for name in NAMES)]
    for one, other in zip(have, want, strict=True):
        assert one == pytest.approx(float(other.subs(places).evalf(30)), rel=1e-9, abs=tolerance)


def test_the_neuron_of_the_documents() -> None:
    w, x, b = variable(2.0, "w"), 3.0, variable(1.0, "b")
    a = ad.relu(w * x + b)
    assert (a.value, a.derivative("w"), a.derivative("b")) == (7.0, 3.0, 1.0)
    u = w * x
    assert (u.value, (u + b).value) == (6.0, 7.0)


@pytest.mark.parametrize("x", [-2.0, 0.0, 0.5, 3.0])
def test_the_chain_rule_of_two_inner_functions(x: float) -> None:
    def f(g: Any, h: Any) -> Any:
        return g**2 * h + h

    t = variable(x, "x")
    g, h = 3 * t, t**2
    assert f(g, h).derivative("x") == 2 * x * g.value**2 + 6 * g.value * h.value + 2 * x
    by = f(variable(g.value, "g"), variable(h.value, "h"))
    assert by.derivative("g") == 2 * g.value * h.value
    assert by.derivative("h") == g.value**2 + 1


def test_the_graph_of_two_sums_and_a_product() -> None:
    a, b = variable(2.0, "a"), variable(1.0, "b")
    e = (a + b) * (b + 1)
    assert (e.value, e.derivative("a"), e.derivative("b")) == (6.0, 2.0, 5.0)


def test_a_gradient_of_two_variables() -> None:
    x, y = variable(3.0, "x"), variable(4.0, "y")
    f = x**2 * y + y
    assert (f.derivative("x"), f.derivative("y")) == (2 * 3 * 4, 3**2 + 1)


def test_a_jacobian_is_a_row_for_each_function() -> None:
    x, y = variable(2.0, "x"), variable(5.0, "y")
    jacobian = [[f.derivative(tag) for tag in "xy"] for f in (x * y, x - y, 3 * x)]
    assert jacobian == [[5.0, 2.0], [1.0, -1.0], [3.0, 0.0]]


def test_a_shared_weight_adds_up_over_its_paths() -> None:
    w = variable(0.5, "w")
    one, two = ad.sigmoid(w * 2.0), ad.tanh(w * 2.0)
    out = one * two
    expected = one.derivative("w") * two.value + one.value * two.derivative("w")
    assert out.derivative("w") == pytest.approx(expected, rel=1e-15)


def test_a_logistic_neuron_has_the_error_of_output_minus_target() -> None:
    for target in (0.0, 1.0):
        y = ad.sigmoid(variable(0.7, "z"))
        loss = -target * ad.log(y) - (1 - target) * ad.log(1 - y)
        assert loss.derivative("z") == pytest.approx(y.value - target, rel=1e-14)


def test_linear_regression_has_the_gradient_of_the_documents() -> None:
    w, b = variable(1.5, "w"), variable(-0.5, "b")
    x, y = [1.0, 2.0, 4.0], [2.0, 1.0, 5.0]
    loss = sum((w * xi + b - yi) ** 2 for xi, yi in zip(x, y, strict=True)) / (2 * len(x))
    errors = [1.5 * xi - 0.5 - yi for xi, yi in zip(x, y, strict=True)]
    assert loss.derivative("w") == sum(e * xi for e, xi in zip(errors, x, strict=True)) / 3
    assert loss.derivative("b") == sum(errors) / 3


@pytest.mark.parametrize("name", BINARY)
def test_operators_take_plain_numbers_on_either_side(name: str) -> None:
    operate = BINARY[name]
    for other in (3, 3.0, np.float64(3.0), np.float32(3.0), np.int64(3)):
        number = variable(2.0, "x")
        right, left = operate(number, other), operate(other, number)
        assert isinstance(right, Dual)
        assert isinstance(left, Dual)
        constant = Dual(3.0)
        assert (right.value, right.tangents) == (
            operate(number, constant).value,
            operate(number, constant).tangents,
        )
        assert left.value == operate(constant, number).value
        assert left.tangents == operate(constant, number).tangents


def test_comparisons_look_at_values() -> None:
    small, large = variable(1.0, "a"), variable(2.0, "b")
    assert small < large
    assert small <= 1
    assert large > 1.5
    assert large >= small
    assert small == 1.0
    assert 2 == large  # noqa: SIM300 - the reflected operator
    assert small != large
    assert small != "one"
    with pytest.raises(TypeError):
        assert small < "one"
    with pytest.raises(TypeError, match="unhashable"):
        hash(small)


def test_tangents_cannot_be_lost_by_conversion() -> None:
    with pytest.raises(TypeError):
        float(variable(1.0, "x"))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unsupported operand"):
        variable(1.0, "x") + "1"  # type: ignore[operator]


def test_numpy_calls_the_operators_of_objects() -> None:
    x = np.array([variable(0.5, 0), variable(2.0, 1)], object)
    y = (np.exp(x) * np.log(x) + np.sin(x) - np.cos(x) * np.tanh(x) + np.abs(x)).sum()
    assert isinstance(y, Dual)
    assert y.derivative(1) == pytest.approx(
        math.exp(2) * (math.log(2) + 0.5)
        + math.cos(2)
        + math.sin(2) * math.tanh(2)
        - math.cos(2) * (1 - math.tanh(2) ** 2)
        + 1
    )


@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
@given(x=st.floats(-30, 30))
def test_activations_are_those_of_the_table(name: str, x: float) -> None:
    number = Dual(x, {"z": 1.0}).apply(name)
    kind = ACTIVATIONS[name]
    assert number.value == pytest.approx(float(kind.value(np.array(x))), rel=1e-12, abs=1e-300)
    assert number.derivative("z") == pytest.approx(
        float(kind.derivative(np.array(x))), rel=1e-9, abs=1e-15
    )


@pytest.mark.parametrize("x", [-1e4, 1e4])
def test_a_sigmoid_far_out_neither_overflows_nor_moves(x: float) -> None:
    y = ad.sigmoid(variable(x, "x"))
    assert (y.value, y.derivative("x")) == (float(x > 0), 0.0)


@pytest.mark.parametrize("name", ["relu", "leaky_relu", "abs"])
def test_a_kink_takes_a_side(name: str) -> None:
    slope = UNARY[name][0](variable(0.0, "x")).derivative("x")
    assert slope == {"relu": 0.0, "leaky_relu": LEAK, "abs": 0.0}[name]


def test_functions_of_floats_are_floats() -> None:
    for name, (value, _) in ELEMENTARY.items():
        function = getattr(ad, name, None)
        if function is not None:
            assert function(0.3) == value(0.3)
            assert isinstance(function(0.3), float)


def test_powers_are_real_or_refused() -> None:
    x = variable(-8.0, "x")
    assert (x**3).derivative("x") == 192.0
    assert (variable(0.0, "x") ** 2).derivative("x") == 0.0
    assert (variable(0.0, "x") ** 0).derivative("x") == 0.0
    assert (0.0 ** variable(2.0, "n")).derivative("n") == 0.0
    assert (0.0 ** variable(0.5, "n")).derivative("n") == 0.0
    for base, exponent in ((x, 1 / 3), (x, variable(2.0, "n")), (variable(0.0, "x"), 0.5)):
        with pytest.raises(ValueError, match=r"domain|positive"):
            base**exponent
    with pytest.raises(ZeroDivisionError):
        x / 0


def test_what_does_not_depend_costs_nothing() -> None:
    dead = ad.relu(variable(-1.0, "x"))
    assert dead.tangents == {}
    assert dead.derivative("x") == 0.0
    assert (0 * variable(3.0, "x")).tangents == {}


def test_an_operation_leaves_its_operands_alone() -> None:
    x = variable(2.0, "x")
    x * x + x.tagged("y")
    assert (x.value, x.tangents) == (2.0, {"x": 1.0})
    assert x.tagged("x").derivative("x") == 2.0
    assert eval(repr(x)) == x
