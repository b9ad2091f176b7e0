# SPDX-License-Identifier: BSD-2-Clause

"""Waveforms, read back by a reader that is not ours, against what the run counted."""

import re
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pywellen
from support.small_engines import engine

from dualgate.contract.commands import Op, command
from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.errors import DeviceError, InputError, MissingToolError
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import sample_commands
from dualgate.contract.settings import Settings
from dualgate.devices import Counters, Device, open_device
from dualgate_sim.rtl import cxx
from dualgate_sim.rtl.waveform import CLOCK, Waveform

NETWORK = Network((2, 3, 1), "tanh", "bce")
SMALL = EngineParameters(1, **dict.fromkeys(MEMORIES, 1)).grown(NETWORK)
"""The fewest bits that hold the network: a quarter of the names, and a fast compilation."""

COMPACT = engine("n4compact")
TOP = "TOP.engine.inner"
PORTS = "TOP.engine"

X, TARGETS = np.array([[300, -4000], [0, 900], [70, 0]]), np.full((3, 1), 1 << 14)

WORDS = [sample_commands(x[None], t[None]) for x, t in zip(X, TARGETS, strict=True)]
SENT = sum(map(len, [*WORDS, command(Op.APPLY)]))
"""Words of the commands of a batch."""


def run(wave: Path, batches: int = 3, parameters: Any = SMALL, **options: Any) -> list[Counters]:
    """Record some batches; what was counted before and after each."""
    with open_device("sim", trace=str(wave), **options, **vars(parameters)) as device:
        return train(device, batches)


def train(device: Device, batches: int) -> list[Counters]:
    """Train a few batches of three samples; what was counted before and after each."""
    device.configure(NETWORK, 12)
    device.set(Settings(1 << 14, 14))
    device.write_weights([np.full((3, 3), 9000), np.full((4, 1), -7000)])
    device.write_velocity([np.zeros((3, 3), np.int64), np.zeros((4, 1), np.int64)])
    counts = [device.counters()]
    for _ in range(batches):
        device.train(X, TARGETS)
        device.apply()
        counts.append(device.counters())
    return counts


def changes(wave: pywellen.Waveform, signal: str) -> list[tuple[int, int]]:
    path = f"{TOP if '.' in signal else PORTS}.{signal}"
    return [(time, int(value)) for time, value in wave[path].tv]


def value_at(signal: list[tuple[int, int]], time: int) -> int:
    return [value for changed, value in signal if changed <= time][-1]


def edges(wave: pywellen.Waveform, clock: str = "clk") -> list[int]:
    """Times of the rising edges."""
    found = changes(wave, clock)
    return [time for (_, before), (time, after) in pairwise(found) if after > before]


def cycles_with(wave: pywellen.Waveform, *signals: str) -> int:
    """Number of rising edges before which all of some signals are high."""
    high = [changes(wave, signal) for signal in signals]
    return sum(all(value_at(signal, edge - 1) for signal in high) for edge in edges(wave))


def transfers(wave: pywellen.Waveform, stream: str) -> int:
    """Number of transfers of a stream."""
    return cycles_with(wave, f"{stream}__valid", f"{stream}__ready")


def paths(wave: pywellen.Waveform) -> dict[str, int]:
    return {v.full_name: v.bitwidth for v in wave.all_vars()}


@pytest.mark.slow
def test_the_lanes_cycles_are_those_the_hardware_counts(tmp_path: Path) -> None:
    none, one, *_ = run(tmp_path / "wave.fst")
    first = one - none
    wave = pywellen.Waveform(str(tmp_path / "wave.fst"))
    assert cycles_with(wave, "counters.events.cycles") == first.cycles > 100
    core = "core_0"
    assert cycles_with(wave, f"{core}.value.mac__valid", f"{core}.value.mac__ready") == (
        first.value_rows
    )
    assert cycles_with(wave, f"{core}.update.taken") == first.update_rows > 0
    assert cycles_with(wave, f"{core}.tangent.tangent_row") == first.tangent_rows > 0


@pytest.mark.slow
@pytest.mark.parametrize(("clock", "period"), [(CLOCK, 12_500), (24, 41_667)])
def test_a_period_is_that_of_the_clock(tmp_path: Path, clock: float, period: int) -> None:
    run(tmp_path / "wave.fst", clock=clock)
    wave = pywellen.Waveform(str(tmp_path / "wave.fst"))
    assert str(wave.timescale) == "1ps"
    times = edges(wave)
    assert {after - before for before, after in pairwise(times)} == {period}


@pytest.mark.slow
def test_the_batches_and_the_part_that_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "new" / "wave.fst"
    _, one, _, three = run(path, trace_scope="core_0.update", trace_batches="2-3")
    wave = pywellen.Waveform(str(path))
    assert all(name.startswith(f"{TOP}.core_0.update.") for name in paths(wave))
    taken, times = changes(wave, "core_0.update.taken"), edges(wave, "core_0.update.clk")
    assert sum(value_at(taken, edge - 1) for edge in times) == three.update_rows - one.update_rows


@pytest.mark.slow
def test_views_show_only_what_the_waveform_holds(tmp_path: Path) -> None:
    run(tmp_path / "wave.fst")
    held = paths(pywellen.Waveform(str(tmp_path / "wave.fst")))
    surfer = (tmp_path / "wave.sucl").read_text().splitlines()
    shown = [line.split()[1] for line in surfer if line.startswith("variable_add ")]
    assert len(shown) > 40
    assert set(shown) <= set(held)
    gtkwave = (tmp_path / "wave.gtkw").read_text()
    assert re.findall(r"^\+\{.*\} (\S+)$", gtkwave, re.M) == [
        name + (f"[{held[name] - 1}:0]" if held[name] > 1 else "") for name in shown
    ]
    titles = [line.split(" ", 1)[1] for line in surfer if line.startswith("divider_add ")]
    assert titles == [t.replace(" ", "_") for t in re.findall(r"^@800200\n-(.*)$", gtkwave, re.M)]
    assert {"value_lane", "error_unit", "tangent_lanes", "update_lane"} <= set(titles)


@pytest.mark.slow
def test_streams_of_a_view_carry_each_sample_once(tmp_path: Path) -> None:
    run(tmp_path / "wave.fst")
    wave = pywellen.Waveform(str(tmp_path / "wave.fst"))
    shown = re.findall(r"^variable_add (\S+)__payload$", (tmp_path / "wave.sucl").read_text(), re.M)
    found = {s.removeprefix(f"{TOP}.").removeprefix(f"{PORTS}."): 0 for s in shown}
    found = {stream: transfers(wave, stream) for stream in found}
    samples, units, answers = len(X), 3, 2
    assert found == {
        "command": SENT,
        "response": samples * answers + 1,
        "core_0.loader.sample": samples,
        "core_0.error.token": samples,
        "core_0.error.response": samples * answers,
        "core_0.error.done": samples,
        "core_0.tangent.token": samples,
        "core_0.tangent.done": samples,
        "core_0.tangent.seeds.job": samples * units,
        "core_0.tangent.issuer.step": samples * units,
        "core_0.tangent.pruner.rows": 0,  # there is no second hidden layer
        "core_0.update.token": samples,
        "core_0.update.done": samples,
    }


@pytest.mark.slow
def test_a_view_of_a_part_shows_nothing_else(tmp_path: Path) -> None:
    run(tmp_path / "wave.fst", 1, trace_scope="core_0.error")
    shown = re.findall(r"variable_add (\S+)", (tmp_path / "wave.sucl").read_text())
    assert shown
    assert all(name.startswith(f"{TOP}.core_0.error.") for name in shown)


@pytest.mark.slow
def test_vcd_is_written_where_the_name_says_so(tmp_path: Path) -> None:
    wave = tmp_path / "wave.vcd"
    run(wave, 1, COMPACT)
    assert wave.read_text().startswith("$version")
    read = pywellen.Waveform(str(wave))
    assert transfers(read, "command") == SENT
    shown = re.findall(r"variable_add (\S+)", (tmp_path / "wave.sucl").read_text())
    assert set(shown) <= set(paths(read))


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Let the system refuse to make a file longer, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "parameters"), [("w.fst", SMALL), ("w.vcd", COMPACT)])
@pytest.mark.parametrize("share", [0.1, 0.9])
def test_a_waveform_on_a_full_disk_is_an_error_after_the_run(
    name: str, parameters: EngineParameters, share: float, tmp_path: Path
) -> None:
    wave = tmp_path / name
    counts = run(wave, 1, parameters)
    size = wave.stat().st_size
    ran = []
    with (
        pytest.raises(InputError, match=r"^cannot write the waveform .*: the system refused a"),
        files_up_to(max(int(size * share), 5000)),
        open_device("sim", trace=str(wave), **vars(parameters)) as device,
    ):
        ran = train(device, 1)
    assert ran == counts
    assert not wave.exists()


@pytest.mark.slow
def test_an_unknown_part_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no part 'core_0\.lane' to trace; choose core_0\.error, "
    ):
        run(tmp_path / "wave.fst", trace_scope="core_0.lane")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trace": "wave.txt"}, "give a name that ends in .fst or .vcd"),
        ({"trace": "wave.fst", "trace_batches": "3-2"}, "batches '3-2' of a waveform: give a num"),
        ({"trace": "wave.fst", "trace_batches": "0"}, "batches '0' of a waveform"),
        ({"trace": "wave.fst", "trace_batches": "all"}, "batches 'all' of a waveform"),
        ({"trace": "wave.fst", "clock": "0"}, "clock '0': give MHz from 0.001 to 10000"),
        ({"clock": "fast"}, "clock 'fast': give MHz"),
        ({"trace_scope": "core_0"}, "are for a waveform; give trace, too"),
        ({"trace_batches": "2"}, "are for a waveform; give trace, too"),
    ],
)
def test_an_unusable_option_is_refused(
    options: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(message)):
        open_device("sim", **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("batches", "expected"), [("1", (1, 1)), ("3", (1, 3)), ("5-7", (5, 7)), ("4-4", (4, 4))]
)
def test_batches_are_a_number_or_a_range(
    batches: str, expected: tuple[int, int], tmp_path: Path
) -> None:
    found = Waveform.parse(str(tmp_path / "wave.FST"), "", batches, CLOCK)
    assert (found.first, found.last, found.format) == (*expected, "fst")


def test_the_clock_is_that_of_the_boards() -> None:
    boards = pytest.importorskip("dualgate_hw.boards").BOARDS
    assert boards["ulx3s-25f"].clock.mhz == boards["orangecrab"].clock.mhz == CLOCK


def test_a_missing_compression_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cxx, "find_library", lambda name: None)
    with pytest.raises(MissingToolError, match=r"^library lz4 is missing; install it \(Debian: l"):
        cxx.shared("lz4")


def test_headers_of_ours_declare_what_the_libraries_have(tmp_path: Path) -> None:
    source = tmp_path / "use.cpp"
    source.write_text(
        '#include "lz4.h"\n#include "zlib.h"\n#include <cstdio>\nint main() {\n'
        "  uLongf size = 99; Bytef to[99]; char out[99];\n"
        "  bool zlib = compress2(to, &size, (const Bytef *)out, 9, 4) == Z_OK;\n"
        "  return !(zlib && compressBound(9) > 9 && LZ4_compressBound(9) > 9 &&\n"
        '           LZ4_compress_default("aaaaaaaaa", out, 9, 99) > 0);\n}\n'
    )
    program = tmp_path / "use"
    links = [cxx.shared(name) for name in ("lz4", "z")]
    compiler = cxx.need("g++", "clang++", "c++")
    subprocess.run([compiler, f"-I{cxx.HEADERS}", source, *links, "-o", program], check=True)
    assert subprocess.run([program], check=False).returncode == 0


def test_a_closed_device_writes_no_waveform(tmp_path: Path) -> None:
    with open_device("sim", trace=str(tmp_path / "wave.fst")) as device, pytest.raises(DeviceError):
        device.train(np.zeros((1, 2), np.int64), np.zeros((1, 1), np.int64))
