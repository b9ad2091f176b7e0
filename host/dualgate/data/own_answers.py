# SPDX-License-Identifier: BSD-2-Clause

"""The choice between classes and numbers for the targets of a data set of one's own."""

import numpy as np

from ..contract.activations import IDENTITY, SIGMOID, SOFTMAX, STEP
from ..contract.errors import InputError
from ..contract.losses import find_loss
from .answers import Answers, class_words, sorted_classes
from .own import Raw
from .preparation import real_numbers

MOST_CLASSES = 1000
MOST_WHOLE = 20
"""Whole numbers of at most so many different values are classes."""


def find_answers(raw: Raw, loss: str | None) -> tuple[Answers, str]:
    """Decide between classes and numbers.

    Words, whole numbers of at most `MOST_WHOLE` different values, and whole numbers beside images
    are classes, unless `loss` says otherwise.

    Parameters
    ----------
    raw : Raw
    loss : str or None
        A key of `LOSSES`.

    Returns
    -------
    Answers, str
        With the classes, or without a scale; and a line that says what was decided, and why.

    Raises
    ------
    InputError
        If the targets are not what `loss` needs.
    """
    frame, name = raw.y, ", ".join(raw.targets)
    kinds = {kind.kind for kind in frame.dtypes}
    numeric = kinds <= set("iuf")
    several = len(raw.targets) > 1
    distinct = frame.iloc[:, 0].nunique()
    whole = numeric and not several and bool((frame.iloc[:, 0] % 1 == 0).all())
    few = distinct <= MOST_WHOLE or isinstance(raw.x, np.ndarray)
    classes = not several and (not numeric or (whole and few))
    output = None if loss is None else find_loss(loss).output
    one_output = output in (SIGMOID, STEP)  # which tells two classes apart
    if output in (SOFTMAX, STEP) or (one_output and distinct == 2 and not several):
        classes = True
    elif output is IDENTITY or (loss is not None and several):
        classes = False
    held = f"{distinct:,} different {'words' if not numeric else 'numbers'}"
    if not classes:
        if not numeric:
            raise InputError(f"{name} holds words, and a regression needs numbers; choose loss cce")
        return Answers(
            raw.targets
        ), f"regression: {name} holds {held if not several else 'numbers'}"
    if several:
        raise InputError(f"the loss {loss} needs one column of classes, not {name}; choose mse")
    if not 2 <= distinct <= MOST_CLASSES:
        raise InputError(
            f"{name} holds {held}; give a column of 2 to {MOST_CLASSES:,} classes"
            + (", or --loss mse for numbers" if numeric else "")
        )
    names = sorted_classes(class_words(frame))
    if output is STEP and len(names) != 2:
        raise InputError(f"{name} holds {held}; the loss {loss} tells two classes apart")
    single = one_output and len(names) == 2
    said = f"classification: {name} holds {held}"
    advice = "; --loss mse makes it a regression" if numeric and loss is None else ""
    return Answers(raw.targets, names, single=single), said + advice


def scaled_answers(answers: Answers, train: Raw, loss: str | None) -> Answers:
    """Return answers that are numbers with the scale of the training samples' targets.

    With ``mse`` these become numbers of mean 0 and standard deviation 1; other losses take them as
    they are.

    Parameters
    ----------
    answers : Answers
        Without a scale.
    train : Raw
    loss : str or None
        A key of `LOSSES`; by default ``mse``.
    """
    columns = np.column_stack([real_numbers(train.y[name], name) for name in answers.targets])
    scaled = loss in (None, "mse")
    deviation = columns.std(axis=0) if scaled else np.ones(columns.shape[1])
    offset = columns.mean(axis=0) if scaled else np.zeros(columns.shape[1])
    deviation[deviation == 0] = 1.0
    return Answers(answers.targets, (), tuple(offset.tolist()), tuple(deviation.tolist()))
