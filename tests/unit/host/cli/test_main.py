# SPDX-License-Identifier: BSD-2-Clause

"""The command line as a whole: commands found lazily, errors in one line."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from dualgate import cli
from dualgate.contract.errors import InputError, Mismatch

GROUP = "dualgate.commands"


@click.command()
@click.argument("what")
def fail(what: str) -> None:
    """Fail in some way."""
    if what == "input":
        raise InputError("a wrong thing\nover two lines")
    if what == "control":
        raise InputError("cannot read \x1b[31mred\x07\u202e\x9b.csv; use ä or 中")
    if what == "mismatch":
        raise Mismatch(1, "kept", None, (), 2, 3)
    if what == "interrupt":
        raise KeyboardInterrupt


elsewhere = fail


@pytest.fixture(autouse=True)
def entries(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        EntryPoint("fail", f"{__name__}:fail", GROUP),
        EntryPoint("broken", "a_package_that_is_not_there:command", GROUP),
        EntryPoint("renamed", f"{__name__}:elsewhere", GROUP),
    ]
    monkeypatch.setattr(cli, "entry_points", lambda group: found)


def run(*args: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.main, args)
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (("fail", "input"), 2, "error: a wrong thing over two lines\n"),
        (("fail", "mismatch"), 1, "error: not bit-identical: batch 1, kept: expected 2, got 3\n"),
        (
            ("fail", "control"),
            2,
            "error: cannot read \\x1b[31mred\\x07\\u202e\\x9b.csv; use ä or 中\n",
        ),
        (("fail", "nothing"), 0, ""),
        (("fail",), 2, "error: Missing argument 'WHAT'.\n"),
        (("nonsense",), 2, "error: unknown command 'nonsense'; choose broken, fail, renamed\n"),
        (("fail", "input", "--nonsense"), 2, "error: No such option '--nonsense'.\n"),
    ],
)
def test_an_error_is_one_line_and_a_status(
    args: tuple[str, ...], status: int, message: str
) -> None:
    assert run(*args) == (status, "", message)


def test_an_interrupt_is_a_short_line() -> None:
    status, out, err = run("fail", "interrupt")
    assert (status, out) == (130, "")
    assert err.strip() == "error: interrupted"


def test_help_lists_every_command_even_where_one_is_broken() -> None:
    for args in ((), ("--help",)):
        status, out, _ = run(*args)
        assert status == 0
        assert "fail     Fail in some way." in out
        assert "broken   not available: No module named" in out
        # No function of that name is in the source, so the command is loaded for its help.
        assert "renamed  Fail in some way." in out


HELP = """
import sys
from dualgate.cli import main
try:
    main({arguments})
finally:
    heavy = {{"numpy", "amaranth", "rich", "dualgate.cli.train"}} & sys.modules.keys()
    print("imported:", sorted(heavy))
"""


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_imports_no_command(arguments: list[str]) -> None:
    code = HELP.format(arguments=arguments)
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "train     Train on a task" in found.stdout
    assert found.stdout.endswith("imported: []\n")


@pytest.mark.parametrize("args", [("broken",), ("broken", "x", "--any", "--help")])
def test_a_broken_command_says_so(args: tuple[str, ...]) -> None:
    status, out, err = run(*args)
    assert (status, out) == (2, "")
    assert err.startswith("error: command broken is not available: No module named")
    assert err.count("\n") == 1


def test_a_command_whose_module_fails_is_named_and_others_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_command.py").write_text("raise RuntimeError('no such\\x1b thing')\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = [
        EntryPoint("failing", "failing_command:command", GROUP),
        EntryPoint("fail", f"{__name__}:fail", GROUP),
    ]
    monkeypatch.setattr(cli, "entry_points", lambda group: found)
    status, out, err = run("failing", "x")
    assert (status, out) == (2, "")
    assert err == (
        "error: command failing is not available: no such\\x1b thing; see dualgate doctor\n"
    )
    assert run("fail", "nothing") == (0, "", "")
    status, out, _ = run("--help")
    assert status == 0
    assert "not available: no such\\x1b thing" in out


def test_the_version_is_told() -> None:
    status, out, _ = run("--version")
    assert status == 0
    assert "version" in out
