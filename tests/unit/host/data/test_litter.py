# SPDX-License-Identifier: BSD-2-Clause

"""What killed processes leave is removed by the next; what living ones write is not."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dualgate.data.files import replace_file
from dualgate.data.litter import PREFIX, remove_litter, temporary_file

WRITES = """
import sys, time
from pathlib import Path
from dualgate.data.files import replace_file

def half(self, content):
    with self.open("wb") as file:
        file.write(content[:5])
    print("half", flush=True)
    time.sleep(600)

Path.write_bytes = half
replace_file(Path(sys.argv[1]), b"0123456789")
"""


@contextmanager
def writer(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has written half of a file, and waits."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITES, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "half\n"
            yield process
        finally:
            process.kill()


def names(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir())


def test_a_file_that_a_killed_process_left_is_removed_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(b"old")
    with writer(path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert path.read_bytes() == b"old"
    assert len(names(tmp_path)) == 2
    replace_file(tmp_path / "history.jsonl", b"new")
    assert names(tmp_path) == ["checkpoint.npz", "history.jsonl"]


def test_a_file_that_a_process_still_writes_stays(tmp_path: Path) -> None:
    with writer(tmp_path / "x"):
        (part,) = names(tmp_path)
        replace_file(tmp_path / "y", b"new")
        assert names(tmp_path) == [part, "y"]
        assert (tmp_path / part).read_bytes() == b"01234"


def test_only_files_of_that_name_are_removed(tmp_path: Path) -> None:
    for name in (".x.1234", f"{PREFIX}x", "x.part"):
        (tmp_path / name).write_bytes(b"mine")
    (tmp_path / f"{PREFIX}link.part").symlink_to(tmp_path / "x.part")
    (tmp_path / f"{PREFIX}folder.part").mkdir()
    before = names(tmp_path)
    remove_litter(tmp_path)
    remove_litter(tmp_path / "none")
    assert names(tmp_path) == before


def test_a_temporary_file_is_gone_at_the_end_and_stays_what_it_became(tmp_path: Path) -> None:
    with temporary_file(tmp_path) as path:
        path.write_bytes(b"kept")
        remove_litter(tmp_path)  # as another process would
        path.replace(tmp_path / "x")
    with temporary_file(tmp_path):
        pass
    assert names(tmp_path) == ["x"]
