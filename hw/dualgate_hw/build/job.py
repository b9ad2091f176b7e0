# SPDX-License-Identifier: BSD-2-Clause

"""A build that was asked for: its inputs, their hash, and the files it makes."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dualgate.contract.engine import EngineParameters
from dualgate.data.files import check_target

from ..boards.board import Board
from ..identity import build_identity, build_sources
from .families import FAMILIES, Family
from .netlist import NetlistPass
from .result import RESULT
from .tools import Tool

NAME = "top"
"""Name of the top module and of the files that are made from it."""

SEEDS = (1, 2, 3)

Tools = Mapping[str, Tool]
"""Tools of a build by Amaranth's names, in the order in which they run."""

Commands = Mapping[str, list[str]]
"""Arguments of each tool."""


@dataclass(frozen=True)
class Build:
    """A board with an engine, to be built in a directory by `flow.run`.

    Parameters
    ----------
    board : Board
    engine : EngineParameters
    directory : Path
        Where sources, logs and the bitstream go.
    seeds : tuple of int
        One for each placement; the fastest placement makes the bitstream.
    say : callable
        Takes a line for each long step.
    passes : tuple of NetlistPass
        Changes to the netlist before its placement, in this order.
    """

    board: Board
    engine: EngineParameters
    directory: Path
    seeds: tuple[int, ...]
    say: Callable[[str], None]
    passes: tuple[NetlistPass, ...] = ()

    @property
    def family(self) -> Family:
        """Family of the board's part."""
        return FAMILIES[self.board.family]

    @property
    def bitstream(self) -> Path:
        """The file to load into the board."""
        return self.directory / f"{NAME}.{self.family.bitstream}"

    @property
    def netlist(self) -> Path:
        """The netlist that synthesis wrote, under the name that Amaranth gives it by family."""
        names = (f"{NAME}.json", f"{NAME}.syn.json")
        return next(path for name in names if (path := self.directory / name).exists())

    @property
    def report(self) -> Path:
        """The full log of yosys."""
        return self.directory / f"{NAME}.rpt"

    def placement_log(self, seed: int) -> Path:
        """Return the path of the full log of a placement."""
        return self.directory / f"{NAME}_{seed}.tim"

    @property
    def pack_log(self) -> Path:
        """The log of the tool that makes the bitstream."""
        return self.directory / "pack.log"

    def step(self, what: str) -> None:
        """Say what the build does now."""
        self.say(f"{self.board.name}: {what}")

    def identity(self, tools: Tools) -> bytes:
        """Hash everything that decides on the bitstream except the seeds.

        Of a netlist pass only its own file is hashed, not the files it imports.
        """
        versions = [tool.identity for tool in tools.values()]
        pins = f"amaranth-boards {version('amaranth-boards')}"
        options = " ".join((self.family.synthesis, *self.family.placement))
        passes = [netlist_pass.path.read_bytes() for netlist_pass in self.passes]
        parameters = (self.board.identity(), self.engine, options, versions, pins, passes)
        return build_identity(*parameters, files=build_sources())

    def begin(self) -> None:
        """Make the directory, and remove all that could be taken for this build's products.

        Raises
        ------
        InputError
            When the directory cannot be written to.
        """
        check_target(self.directory / RESULT)
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in (self.directory / RESULT, self.bitstream):
            path.unlink(missing_ok=True)
        # An interrupted synthesis leaves such a folder, which would silently end the next one.
        for stale in self.directory.glob("_tmp_yosys-*"):
            shutil.rmtree(stale)

    def products(self) -> list[Path]:
        """List the files of this build; its directory may hold others."""
        names = [f"{NAME}.*", f"build_{NAME}.*", "yosys.log", self.pack_log.name, RESULT]
        for seed in self.seeds:
            names += [f"{NAME}_{seed}.*", f"report_{seed}.json", f"nextpnr_{seed}.log"]
        return [path for name in names for path in sorted(self.directory.glob(name))]
