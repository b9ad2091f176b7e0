# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate verilog`: the file, its ports, what other tools say to it, and what it refuses."""

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from dualgate.contract.commands import MAGIC, PROTOCOL, Op, command
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DualgateError
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings
from dualgate.devices import Device, open_device
from dualgate_hw.cli.verilog import MEANINGS, verilog
from dualgate_hw.identity import build_identity
from dualgate_sim.rtl import compiled
from dualgate_sim.rtl.cxx import Toolchain
from dualgate_sim.rtl.verilated import library

NETWORK = Network((2, 3, 1), "tanh", "bce")
SMALL = ["--neurons", "2", "--network", "2,3,1"]
COMPACT = ["--compact", "--neurons", "4", "--network", "2,3,1"]
CORES = [*SMALL, "--cores", "2", "--name", "trainer"]


def write(path: Path, *options: str) -> str:
    found = CliRunner().invoke(verilog, [*options, "--out", str(path)], catch_exceptions=False)
    assert found.exit_code == 0
    return path.read_text()


def documented(text: str) -> set[tuple[str, str, str]]:
    """Direction, bits and name of each port in the comment at the top."""
    return set(re.findall(r"^//   (input|output) +(\[\d+:0\])? +(\w+)", text, re.M))


def declared(text: str, name: str) -> set[tuple[str, str, str]]:
    """Direction, bits and name of each port of the module."""
    module = text[text.index(f"\nmodule {name}(") :]
    module = module[: module.index("endmodule")]
    return set(re.findall(r"^  (input|output) (\[\d+:0\])? ?(\w+);", module, re.M))


@pytest.mark.slow
@pytest.mark.parametrize("options", [SMALL, COMPACT, CORES])
def test_the_ports_are_those_that_the_comment_lists(options: list[str], tmp_path: Path) -> None:
    name = "trainer" if "--name" in options else "engine"
    text = write(tmp_path / "engine.v", *options)
    wide = "[63:0]" if "--cores" in options else "[31:0]"
    assert documented(text) == declared(text, name)
    assert documented(text) == {
        ("input", "", "clk"),
        ("input", "", "rst"),
        ("input", wide, "command__payload"),
        ("input", "", "command__valid"),
        ("output", "", "command__ready"),
        ("output", "[31:0]", "response__payload"),
        ("output", "", "response__valid"),
        ("input", "", "response__ready"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("options", [SMALL, COMPACT])
def test_verilator_has_nothing_to_say(options: list[str], tmp_path: Path) -> None:
    write(tmp_path / "engine.v", *options)
    tools = Toolchain.find()
    command = [tools.perl, tools.verilator / "bin" / "verilator", "--lint-only", "-Wall"]
    command += ["--default-language", "1364-2005", "--top", "engine", "engine.v"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


BENCH = """
module bench;
  reg clk = 0, valid = 0;
  reg [31:0] word = %d;
  wire ready, answers;
  wire [31:0] answer;
  engine engine(.clk(clk), .rst(1'b0), .command__payload(word), .command__valid(valid),
    .command__ready(ready), .response__payload(answer), .response__valid(answers),
    .response__ready(1'b1));
  always #5 clk = ~clk;
  always @(posedge clk) if (answers) $display("%%d", answer);
  initial begin
    @(negedge clk) valid = 1;
    @(negedge clk) valid = 0;
    #2000 $finish;
  end
endmodule
"""


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("iverilog"), reason="Icarus Verilog is not installed")
def test_in_icarus_it_says_what_it_was_built_with(tmp_path: Path) -> None:
    write(tmp_path / "engine.v", *SMALL)
    (identify,) = command(Op.IDENTIFY)
    (tmp_path / "bench.v").write_text(BENCH % identify)
    compiler = ["iverilog", "-g2005", "-s", "bench", "-o", "bench", "bench.v", "engine.v"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    done = subprocess.run(["vvp", "bench"], cwd=tmp_path, check=True, capture_output=True)
    _, magic, protocol, neurons, *_ = map(int, done.stdout.split())
    assert (magic, protocol, neurons) == (MAGIC, PROTOCOL, 2)


def train(device: Device) -> list[object]:
    with device:
        device.configure(NETWORK, 12)
        device.set(Settings(1 << 14, 14))
        device.write_weights([np.full((3, 3), 900_000), np.full((4, 1), -700_000)])
        device.write_velocity([np.zeros((3, 3), int), np.zeros((4, 1), int)])
        outputs = device.train(np.array([[300, -4000], [0, 900]]), np.full((2, 1), 1 << 14))
        device.apply()
        return [outputs.tolist(), *(w.tolist() for w in device.read_weights())]


@pytest.mark.slow
def test_the_file_trains_as_the_golden_model_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = write(tmp_path / "engine.v", *SMALL)
    (found,) = re.findall(r"^// Parameters: (.*)$", text, re.M)
    sizes = {name: int(size) for name, size in (pair.split(" ") for pair in found.split(", "))}
    made = library(tmp_path / "e.so", lambda: text, "engine", compiled.HARNESS, "the file")
    monkeypatch.setattr(compiled, "build", lambda engine, trace: made)
    assert train(open_device("sim", **sizes)) == train(open_device("golden", **sizes))


@pytest.mark.slow
def test_the_text_goes_to_standard_output() -> None:
    found = CliRunner().invoke(verilog, [*SMALL, "--rows", "32"], catch_exceptions=False)
    parameters = EngineParameters(2, layers=2, rows=32, inputs=4, activations=4, vectors=2)
    identity = build_identity(EngineParameters(**{**vars(parameters), "groups": 2})).hex()[:16]
    assert found.output.startswith("// The training engine of dualgate")
    assert f"// Identity:   {identity} " in found.output
    assert found.output.rstrip().endswith("*/")


def test_every_parameter_has_an_option_or_a_reason() -> None:
    assert set(MEANINGS) | {"compact"} == set(vars(EngineParameters()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--neurons", "3"], "3 neurons: give a power of two, such as 16"),
        (["--neurons", "4096"], "an engine of 12288 multipliers: give one of at most 4096"),
        (["--compact", "--cores", "2"], "a compact engine: give 1 for compact, arrays, cores"),
        (["--name", "my engine"], "module name 'my engine': give letters, digits"),
        (["--network", "2,x"], "layers '2,x': give whole numbers"),
        (["--network", "20,30,1", "--rows", "4"], "rows has 4, needed"),
        (["--out", "/dev"], "it is not a file"),
    ],
)
def test_wrong_input_is_one_line_and_leaves_nothing(
    options: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DualgateError, match=re.escape(message)) as error:
        CliRunner().invoke(verilog, options, catch_exceptions=False)
    assert error.value.exit_status == 2
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_earlier_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = tmp_path / "engine.v"
    earlier.write_text("// mine\n")

    def fail(*_: object) -> None:
        raise RuntimeError("stopped")

    monkeypatch.setattr("dualgate_hw.cli.verilog.make_engine", fail)
    with pytest.raises(RuntimeError):
        CliRunner().invoke(verilog, ["--out", str(earlier)], catch_exceptions=False)
    assert earlier.read_text() == "// mine\n"
