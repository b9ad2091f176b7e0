# SPDX-License-Identifier: BSD-2-Clause

"""Tools that fail: what they say is kept or quoted, and a full disk is named."""

from pathlib import Path

import pytest

from dualgate.contract.errors import DeviceError, InputError
from dualgate.data.directories import workspace
from dualgate_sim.rtl.tools import run


def test_a_failing_tool_is_quoted_where_no_log_can_be_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DeviceError, match=r"^sh failed while compiling the RTL: no space$"):
        run(["sh", "-c", "echo no space >&2; exit 1"], tmp_path)


def test_a_tool_on_a_full_disk_is_an_error_that_names_the_disk(tmp_path: Path) -> None:
    said = "echo 'x.o: No space left on device' >&2; exit 1"
    with (
        pytest.raises(InputError, match=rf"file {tmp_path}/\S+: No space left on device; set TMPD"),
        workspace(tmp_path) as work,
    ):
        run(["sh", "-c", said], work)
