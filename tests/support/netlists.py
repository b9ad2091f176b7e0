# SPDX-License-Identifier: BSD-2-Clause

"""What synthesis makes of a small design."""

import json
from pathlib import Path
from typing import Any

from dualgate_hw.build import tools
from dualgate_hw.build.yosys_script import synthesis


def cell(kind: str, inputs: dict[str, Any], outputs: dict[str, Any]) -> dict[str, Any]:
    """A cell as yosys writes it, whose ports have a bit each: a net or a constant."""
    return {
        "type": kind,
        "parameters": {},
        "attributes": {},
        "port_directions": dict.fromkeys(inputs, "input") | dict.fromkeys(outputs, "output"),
        "connections": {port: [bit] for port, bit in (inputs | outputs).items()},
    }


def synthesise(directory: Path, rtlil: str, family: str) -> Any:
    """Return the module `top` as yosys writes it after the synthesis of a board's build."""
    (directory / "top.il").write_text(rtlil)
    (directory / "top.ys").write_text(synthesis("top", family))
    arguments = ["-q", "-l", "top.rpt", "top.ys"]
    tools.find("yosys").run(arguments, directory, directory / "log", directory / "top.rpt")
    return json.loads((directory / "top.json").read_text())["modules"]["top"]
