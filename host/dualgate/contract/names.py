# SPDX-License-Identifier: BSD-2-Clause

"""Names that a user gives: one form of the error for a name that does not exist."""

from collections.abc import Iterable
from difflib import get_close_matches

MOST = 30
"""Largest number of choices that a message lists."""


def similar(name: str, choices: Iterable[str]) -> str | None:
    """Find the choice that is most like a name, whatever the case of its letters.

    Parameters
    ----------
    name : str
    choices : iterable of str

    Returns
    -------
    str or None
        None if no choice is similar.
    """
    folded = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(name.casefold(), list(folded), n=1)
    return folded[near[0]] if near else None


def unknown(what: str, name: str, choices: Iterable[str]) -> str:
    """Return the message for a name that is none of the choices.

    Parameters
    ----------
    what : str
        What the name is of, such as ``task``.
    name : str
    choices : iterable of str

    Returns
    -------
    str
        ``unknown task 'digts', did you mean digits? choose xor, digits``, or without the question
        if no choice is similar.
    """
    names = list(choices)
    near = similar(name, names)
    question = f", did you mean {near}?" if near else ";"
    more = f" ... ({len(names)} in all)" if len(names) > MOST else ""
    return f"unknown {what} {name!r}{question} choose {', '.join(names[:MOST])}{more}"
