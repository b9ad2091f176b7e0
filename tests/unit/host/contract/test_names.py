# SPDX-License-Identifier: BSD-2-Clause

"""Messages for names that do not exist."""

import pytest

from dualgate.contract.names import similar, unknown


@pytest.mark.parametrize(
    ("name", "expected"),
    [("digts", "digits"), ("DIGITS", "digits"), ("xor", "XOR"), ("wine", None), ("", None)],
)
def test_the_most_similar_name_is_found_in_any_case(name: str, expected: str | None) -> None:
    assert similar(name, ["XOR", "digits"]) == expected


def test_the_message_asks_for_a_similar_name_and_lists_all() -> None:
    choices = iter(["xor", "digits"])
    assert unknown("task", "digts", choices) == (
        "unknown task 'digts', did you mean digits? choose xor, digits"
    )


def test_the_message_without_a_similar_name_asks_nothing() -> None:
    assert unknown("task", "wine", ["xor"]) == "unknown task 'wine'; choose xor"
