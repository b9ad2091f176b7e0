# SPDX-License-Identifier: BSD-2-Clause

"""What outputs stand for: classes with names, numbers in their unit."""

import numpy as np
import pandas
import pytest

from dualgate.contract.errors import InputError
from dualgate.data.answers import Answers, class_words, sorted_classes

NO, YES = "no", "yes"
CLASSES = Answers(("kind",), ("a", "b", "c"))
SINGLE = Answers(("kind",), (NO, YES), single=True)
NUMBERS = Answers(("price", "mass"), offset=(10.0, 0.0), scale=(2.0, 4.0))
X = np.zeros((2, 1))


def test_there_is_an_output_for_each_class_or_number_or_one() -> None:
    assert [each.outputs for each in (CLASSES, SINGLE, NUMBERS)] == [3, 1, 2]


@pytest.mark.parametrize("target", [np.array(["c", "a"]), pandas.DataFrame({"kind": ["c ", "a"]})])
def test_classes_become_one_for_the_right_output(target: object) -> None:
    samples = CLASSES.samples(X, target)
    assert samples.target.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert samples.labels is not None
    assert samples.labels.tolist() == [2, 0]
    assert SINGLE.samples(X, np.array([YES, NO])).target.tolist() == [[1], [0]]


def test_numbers_become_outputs_and_come_back() -> None:
    frame = pandas.DataFrame({"mass": [4.0, 8.0], "price": [12.0, 8.0]})
    target = NUMBERS.samples(X, frame).target
    assert target.tolist() == [[1.0, 1.0], [-1.0, 2.0]]
    assert NUMBERS.numbers(target).tolist() == [[12.0, 4.0], [8.0, 8.0]]
    assert NUMBERS.samples(X, frame[["price", "mass"]].to_numpy()).target.tolist() == (
        target.tolist()
    )


def test_a_class_that_training_did_not_see_is_refused() -> None:
    with pytest.raises(InputError, match=r"^class 'd' is not among those of the run, a, b, c; "):
        CLASSES.samples(X, np.array(["a", "d"]))


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.array([["a", "b"], ["c", "d"]]), "^targets of type <U1 are not all numbers"),
        (np.array([[1.0, np.nan], [1.0, 1.0]]), "^targets of type float64 are not all numbers"),
        (np.zeros((2, 3)), "^there are 3 targets; the run has 2$"),
        (pandas.DataFrame({"price": [1, "x"], "mass": [1, 2]}), "'price' holds 'x' in sample 2"),
    ],
)
def test_targets_that_are_no_numbers_are_refused(target: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        NUMBERS.samples(X, target)


def test_predictions_have_the_names_of_classes() -> None:
    assert CLASSES.names(np.array([[0.1, 0.2, 0.7], [0.9, 0.1, 0.0]])) == ["c", "a"]
    assert SINGLE.names(np.array([[0.6], [0.4]])) == [YES, NO]


def test_probabilities_have_the_sum_one() -> None:
    shares = CLASSES.probabilities(np.array([[0.2, 0.1, 0.1], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(shares, [[0.5, 0.25, 0.25], [0.0, 0.0, 0.0]])
    assert SINGLE.probabilities(np.array([[0.25]])).tolist() == [[0.75, 0.25]]


def test_numbers_are_sorted_by_value_and_words_by_letters() -> None:
    assert sorted_classes(["10", "9", "9", "-1"]) == ("-1", "9", "10")
    assert sorted_classes(["10", "9", "b"]) == ("10", "9", "b")
    assert sorted_classes(["1", "1e0", "1.0", "01", "001"]) == ("001", "01", "1", "1.0", "1e0")


def test_classes_of_any_type_become_words() -> None:
    assert class_words(np.array([1.0, 2.0])) == class_words(np.array([1, 2])) == ["1", "2"]
    assert class_words(np.array([True, False])) == ["True", "False"]
