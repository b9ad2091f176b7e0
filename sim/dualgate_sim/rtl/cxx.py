# SPDX-License-Identifier: BSD-2-Clause

"""Verilator and the C++ compiler: SystemVerilog in, object files out.

Make is not used: Verilator's makefiles compile a header for each model in advance, which takes
longer than all that includes it, and Verilator's runtime again for each model.
"""

import hashlib
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from ctypes.util import find_library
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from dualgate.contract.errors import MissingToolError
from dualgate.data.directories import cache_directory, workspace

from .cache import absent, keep
from .tools import run, stop_all

FLAGS = ("-Wno-fatal", "-O3", "--x-assign", "fast", "--noassert")
"""Of Verilator."""

EVERY_CYCLE, ONCE = "-O1", "-O0"
"""Optimisation of the code that a model runs in every cycle, and of that which opens it.

With -O2 compilation takes half as long again, and simulation at most 6 % less.
"""

UNIT_BYTES = 4 << 20
"""Generated sources are compiled as one file up to about this size.

The compiler takes a second to read Verilator's headers each time, and more memory the longer a
file is.
"""

JOBS = 2

STOP_S = 0.05
"""Seconds between two attempts to stop all tools: a thread may be about to start another."""

HEADERS = Path(__file__).with_name("headers")
"""Declarations of compression libraries, for machines that have these without their headers."""

REPLACED = HEADERS / "fst_checks.h"
"""Included before each of Verilator's own sources."""


def package_home(name: str) -> Path:
    """Directory of an installed package; raises `MissingToolError` when it is not there."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingToolError(f"package {name} is missing; pip install 'dualgate[sim]'")
    return Path(spec.origin).parent


def need(*programs: str) -> str:
    """Find the first of `programs` on the path; raises `MissingToolError` when none is there."""
    found = next(filter(None, map(shutil.which, programs)), None)
    if not found:
        raise MissingToolError(f"{programs[0]} is missing; install it (Debian: g++, perl)")
    return found


def shared(name: str) -> str:
    """Return the linker's option for an installed library.

    It is found by its file, because the name without a version comes only with the headers. Raises
    `MissingToolError` when it is not there.
    """
    found = find_library(name)
    if not found:
        raise MissingToolError(
            f"library {name} is missing; install it (Debian: liblz4-1, zlib1g), or write a .vcd"
        )
    return f"-l:{found}"


@dataclass(frozen=True)
class Toolchain:
    """Verilator and a C++ compiler.

    Parameters
    ----------
    verilator : Path
        Home of the package.
    perl, compiler : str
    """

    verilator: Path
    perl: str
    compiler: str

    @classmethod
    def find(cls) -> "Toolchain":
        """Look for the tools; raises `MissingToolError` for the first that is missing."""
        compiler, perl = need("g++", "clang++", "c++"), need("perl")
        return cls(package_home("verilator"), perl, compiler)

    def verilate(self, sources: Sequence[Path], top: str, work: Path, *flags: str) -> list[Path]:
        """Translate SystemVerilog into C++ in `work`; returns the files to compile."""
        program = self.verilator / "bin" / "verilator"
        chosen = [*FLAGS, *flags, "--Mdir", str(work), "--top", top]
        run([self.perl, program, "--cc", *chosen, *sources], work)
        return sorted(work.glob("V*.cpp"))

    def compile(self, sources: Sequence[Path], work: Path, *flags: str) -> list[Path]:
        """Compile what `verilate` returned, and further sources; returns the object files."""
        once = [path for path in sources if path.stem.endswith("__Slow")]
        rest = [path for path in sources if path not in once]
        units = [
            (work / f"unit{number}.cpp", group, level)
            for number, (group, level) in enumerate(
                [(group, EVERY_CYCLE) for group in _groups(rest)]
                + [(group, ONCE) for group in _groups(once)]
            )
        ]

        def compile_unit(unit: tuple[Path, list[Path], str]) -> Path:
            path, group, level = unit
            path.write_text("".join(f'#include "{source}"\n' for source in group))
            return self._object(path, level, *flags)

        with ThreadPoolExecutor(JOBS) as pool:
            jobs = [pool.submit(compile_unit, unit) for unit in units]
            try:
                return [job.result() for job in jobs]
            except BaseException:
                # An interruption comes to this thread only, and a failure ends one tool.
                pool.shutdown(wait=False, cancel_futures=True)
                while wait(jobs, STOP_S).not_done:
                    stop_all()
                raise

    def runtime(self, *names: str) -> list[Path]:
        """Return object files of Verilator's own sources, compiled once and kept in the cache."""
        return [self._runtime_object(name) for name in names]

    def _runtime_object(self, name: str) -> Path:
        source = self.verilator / "include" / f"{name}.cpp"
        digest = hashlib.sha256(f"{self._version} {EVERY_CYCLE}".encode())
        for path in (source, *sorted(source.parent.glob("verilated*.h")), REPLACED):
            digest.update(path.read_bytes())
        target = cache_directory() / f"{name}-{digest.hexdigest()[:16]}.o"
        with absent(target) as needed:
            if needed:
                with workspace() as work:
                    copy = work / source.name
                    copy.write_text(f'#include "{REPLACED}"\n#include "{source}"\n')
                    keep(self._object(copy, EVERY_CYCLE), target)
        return target

    @cached_property
    def _version(self) -> str:
        return run([self.compiler, "--version"], self.verilator)

    def _object(self, source: Path, level: str, *flags: str) -> Path:
        made = source.with_suffix(".o")
        include = self.verilator / "include"
        folders = [f"-I{folder}" for folder in (source.parent, include, include / "vltstd")]
        chosen = ["-std=c++17", "-fPIC", level, "-DVERILATOR=1", *flags, *folders]
        chosen += [f"-idirafter{HEADERS}"]
        run([self.compiler, *chosen, "-c", source, "-o", made], source.parent)
        return made

    def link(self, objects: Sequence[Path], made: Path, *flags: str) -> None:
        """Link object files into a library or a program."""
        run([self.compiler, *objects, "-pthread", "-latomic", *flags, "-o", made], made.parent)


def _groups(sources: Sequence[Path]) -> list[list[Path]]:
    """Sources in their order, in groups of about `UNIT_BYTES`."""
    groups: list[list[Path]] = []
    size = UNIT_BYTES
    for source in sources:
        if size >= UNIT_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(source)
        size += source.stat().st_size
    return groups
