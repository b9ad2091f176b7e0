# SPDX-License-Identifier: BSD-2-Clause

"""A build: from board and parameters to netlist, placements and bitstream.

Amaranth writes the plan, that is sources, constraints and commands; the commands are run here, with
tools from Python packages. What was built before under the same hash is taken from the cache.
"""

import hashlib
import json
import os
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, FitError
from dualgate.data.files import check_target, replace_file

from ..boards.board import Board
from ..boards.top import BoardTop
from ..identity import build_identity, build_sources
from .blocks import place_blocks
from .cache import Cache
from .families import FAMILIES, Family
from .global_reset import spread_reset
from .multiplier_registers import absorb_registers
from .netlist import rewritten
from .source import for_synthesis
from .timing import Timing, read_timing
from .tools import Tool, find
from .utilisation import Utilisation, check_fit, check_memories, check_multipliers, count, memories

NAME = "top"

RESULT = "result.json"
"""Written last: where it is, all else is whole."""

SEEDS = (1, 2, 3)

PLACED = ("config", "asc", "pnr.json")
"""Extensions of what a placement is kept in, by family."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Result:
    """What a build found, and where its bitstream is.

    Parameters
    ----------
    board : str
    engine : EngineParameters
    identity : str
        Hash of sources, parameters and tools, hexadecimal; the device states it, too.
    utilisation : Utilisation
    timing : tuple of Timing
        One for each seed; empty for what was not placed.
    clock_mhz : float
        What the board's clock is set to.
    bitstream_sha256 : str
        Empty where there is none.
    problem : str
        Why the build failed: the engine does not fit the part, is too slow for its clock, or
        would spend LUTs on memories or multipliers. Empty if it did not.
    """

    board: str
    engine: EngineParameters
    identity: str
    utilisation: Utilisation
    timing: tuple[Timing, ...]
    clock_mhz: float
    bitstream_sha256: str
    problem: str = ""

    @property
    def median_mhz(self) -> float:
        """Of all placements."""
        return statistics.median(timing.mhz for timing in self.timing)

    @property
    def worst(self) -> Timing:
        """The slowest placement."""
        return min(self.timing, key=lambda timing: timing.mhz)

    @property
    def best(self) -> Timing:
        """The fastest placement: the bitstream is made from it."""
        return max(self.timing, key=lambda timing: timing.mhz)

    def to_json(self) -> str:
        """Everything, for a file."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Result":
        """The inverse of `to_json`."""
        values = json.loads(text)
        values["engine"] = EngineParameters(**values["engine"])
        values["utilisation"] = Utilisation(**values["utilisation"])
        values["timing"] = tuple(Timing(**timing) for timing in values["timing"])
        return cls(**values)


@dataclass(frozen=True)
class Build:
    """A board with an engine, to be built in a directory.

    Parameters
    ----------
    board : Board
    engine : EngineParameters
    directory : Path
        Where sources, logs and the bitstream go.
    seeds : tuple of int
        Of the placements; the fastest makes the bitstream.
    say : callable
        Takes a line for each long step.

    Raises
    ------
    MissingToolError
        When a tool is not installed.
    InputError
        When the directory cannot be written to.
    DeviceError
        When a tool fails.
    """

    board: Board
    engine: EngineParameters
    directory: Path
    seeds: tuple[int, ...]
    say: Say

    @property
    def family(self) -> Family:
        """Of the board's part."""
        return FAMILIES[self.board.family]

    @property
    def bitstream(self) -> Path:
        """The file to load."""
        return self.directory / f"{NAME}.{self.family.bitstream}"

    @property
    def _netlist(self) -> Path:
        """What synthesis wrote; its name is Amaranth's, by family."""
        names = (f"{NAME}.json", f"{NAME}.syn.json")
        return next(path for name in names if (path := self.directory / name).exists())

    def run(self) -> Result:
        """Build, or take what was built before; see `Result.problem` for what came of it."""
        tools = {name: find(name) for name in self.family.tools}
        board = self.board
        identity = self.identity(tools)
        cache = Cache(identity.hex(), self.seeds)
        self._begin()
        if cache.restore(self.directory, RESULT):
            self.say(f"{board.name}: built before, taken from {cache.path}")
            return Result.from_json((self.directory / RESULT).read_text())
        commands = self._prepare(identity)
        used = self._synthesise(tools, commands)
        timing: tuple[Timing, ...] = ()
        digest, problem = "", self._misfit(used)
        if not (problem or board.part_only):
            if self.family.block_sites:
                self._give_sites()
            timing = self._place(tools, commands)
            digest = self._pack(tools, commands, timing)
            problem = self._too_slow(timing)
        result = Result(
            board.name, self.engine, identity.hex(), used, timing, board.clock.mhz, digest, problem
        )
        replace_file(self.directory / RESULT, result.to_json().encode())
        if not problem:
            cache.keep(self._products())
        return result

    def identity(self, tools: Mapping[str, Tool]) -> bytes:
        """Hash of all that decides on the bitstream, but for the seeds."""
        versions = [tool.identity for tool in tools.values()]
        if self.family.block_sites:
            versions += [f"{package} {version(package)}" for package in ("numpy", "scipy")]
        pins = f"amaranth-boards {version('amaranth-boards')}"
        options = " ".join((self.family.synthesis, *self.family.placement))
        parameters = (self.board.identity(), self.engine, options, versions, pins)
        return build_identity(*parameters, files=build_sources())

    def _begin(self) -> None:
        """An interrupted build must not look like the one before it, nor like a whole one."""
        check_target(self.directory / RESULT)
        self.directory.mkdir(parents=True, exist_ok=True)
        for path in (self.directory / RESULT, self.bitstream):
            path.unlink(missing_ok=True)
        # Left behind where a synthesis was interrupted, it would end the next one without a word.
        for stale in self.directory.glob("_tmp_yosys-*"):
            shutil.rmtree(stale)

    def _products(self) -> list[Path]:
        """What this build left in its directory, which may have held other files before."""
        names = [f"{NAME}.*", f"build_{NAME}.*", "yosys.log", "pack.log", RESULT]
        for seed in self.seeds:
            names += [f"{NAME}_{seed}.*", f"report_{seed}.json", f"nextpnr_{seed}.log"]
        return [path for name in names for path in sorted(self.directory.glob(name))]

    def _prepare(self, identity: bytes) -> dict[str, list[str]]:
        """Write sources and constraints; returns the commands by tool."""
        self._step("writing sources")
        if self.board.part_only is not None:
            return self._prepare_part(self.board.part_only(self.board, self.engine, identity))
        platform = self.board.make_platform()
        top = BoardTop(self.board, self.engine, identity)
        plan = platform.prepare(
            top,
            NAME,
            emit_src=False,
            synth_opts=self.family.synthesis,
            nextpnr_opts="",
        )
        plan.extract(str(self.directory))
        source = self.directory / f"{NAME}.il"
        source.write_text(for_synthesis(source.read_text(), self.family.lut_ram))
        script = json.loads((self.directory / f"build_{NAME}.json").read_text())
        return {command[0]: command[1:] for command in script["commands"]}

    def _prepare_part(self, part: wiring.Component) -> dict[str, list[str]]:
        """Write what is only to be synthesised, with streams in place of pins."""
        source = rtlil.convert(part, name=NAME, emit_src=False)
        source = for_synthesis(source, self.family.lut_ram)
        (self.directory / f"{NAME}.il").write_text(source)
        (self.directory / f"{NAME}.ys").write_text(
            f"read_rtlil {NAME}.il\n"
            f"synth_{self.board.family} {self.family.synthesis} -flatten -top {NAME}\n"
            f"write_json {NAME}.json\n"
        )
        return {"yosys": ["-q", "-l", f"{NAME}.rpt", f"{NAME}.ys"]}

    def _synthesise(self, tools: dict[str, Tool], commands: dict[str, list[str]]) -> Utilisation:
        self._step("synthesis")
        log = self.directory / "yosys.log"
        began = time.monotonic()
        report = self.directory / f"{NAME}.rpt"
        tools["yosys"].run(commands["yosys"], self.directory, log, report)
        with rewritten(self._netlist, NAME) as module:
            if self.family.multiplier_registers:
                absorb_registers(module)
            if self.family.global_reset:
                spread_reset(module)
        used = count(self._netlist, self.family)
        self._step(
            f"synthesised in {time.monotonic() - began:.0f} s: {used.luts} LUTs, "
            f"{used.flip_flops} flip-flops, {used.block_rams} block RAMs, "
            f"{used.multipliers} multipliers"
        )
        return used

    def _misfit(self, used: Utilisation) -> str:
        """Why the netlist is not to be placed; empty if it is."""
        declared = memories((self.directory / f"{NAME}.il").read_text())
        try:
            check_fit(used, self.board)
            check_memories((self.directory / f"{NAME}.rpt").read_text(), declared, self.family)
            check_multipliers(used, self.engine)
        except FitError as error:
            return str(error)
        return ""

    def _give_sites(self) -> None:
        self._step("finding sites for block RAMs and multipliers")
        began = time.monotonic()
        with rewritten(self._netlist, NAME) as module:
            found = place_blocks(module["cells"], self.board.part)
        self._step(f"{found} have theirs after {time.monotonic() - began:.0f} s")

    def _place(self, tools: dict[str, Tool], commands: dict[str, list[str]]) -> tuple[Timing, ...]:
        name = next(tool for tool in tools if tool.startswith("nextpnr"))
        found = []
        for seed in self.seeds:
            self._step(f"placing and routing, seed {seed}")
            began = time.monotonic()
            report = f"report_{seed}.json"
            arguments = [*self._place_arguments(commands[name], seed), "--report", report]
            tools[name].run(arguments, self.directory, self.directory / f"nextpnr_{seed}.log")
            timing = read_timing(self.directory / report, seed)
            found.append(timing)
            self._step(
                f"seed {seed}: {timing.mhz:.1f} MHz in {time.monotonic() - began:.0f} s, "
                f"limited by {timing.path}"
            )
        return tuple(found)

    def _place_arguments(self, arguments: list[str], seed: int) -> list[str]:
        """Amaranth's, with a seed, and outputs of their own."""
        if self.board.family == "gowin":
            # Gowin's place and route has become a part of himbaechel, with options of its own.
            arguments = _renamed(arguments, {"--family": "family", "--cst": "cst"})
        outputs = {f"{NAME}.{end}": f"{NAME}_{seed}.{end}" for end in (*PLACED, "tim")}
        return [
            *(outputs.get(argument, argument) for argument in arguments),
            *("--seed", str(seed), "--freq", f"{self.board.clock.mhz:g}", "--timing-allow-fail"),
            *self.family.placement,
        ]

    def _pack(
        self, tools: dict[str, Tool], commands: dict[str, list[str]], timing: tuple[Timing, ...]
    ) -> str:
        """Make the bitstream from the fastest placement; returns its hash."""
        self._step("packing")
        best = max(timing, key=lambda found: found.mhz)
        for end in PLACED:
            placed = self.directory / f"{NAME}_{best.seed}.{end}"
            if placed.exists():
                shutil.copy(placed, self.directory / f"{NAME}.{end}")
        name = list(tools)[-1]
        packed = self.directory / f"packed.{self.family.bitstream}"
        arguments = [packed.name if a == self.bitstream.name else a for a in commands[name]]
        packed.unlink(missing_ok=True)
        tools[name].run(arguments, self.directory, self.directory / "pack.log")
        if not packed.exists():
            raise DeviceError(f"{name} left no bitstream; see {self.directory / 'pack.log'}")
        # Under its name there is a whole one or none.
        os.replace(packed, self.bitstream)
        return hashlib.sha256(self.bitstream.read_bytes()).hexdigest()

    def _too_slow(self, timing: tuple[Timing, ...]) -> str:
        """Why the fastest placement is not fast enough; empty if it is."""
        best = max(timing, key=lambda found: found.mhz)
        if best.mhz >= self.board.clock.mhz:
            return ""
        return (
            f"reaches {best.mhz:.1f} MHz and its clock has {self.board.clock.mhz:g}, limited by "
            f"{best.path}; build with fewer neurons, or try more seeds"
        )

    def _step(self, what: str) -> None:
        self.say(f"{self.board.name}: {what}")


def _renamed(arguments: list[str], options: dict[str, str]) -> list[str]:
    """``--family X`` as ``--vopt family=X``."""
    result: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in options:
            result += ["--vopt", f"{options[argument]}={next(rest)}"]
        else:
            result.append(argument)
    return result
