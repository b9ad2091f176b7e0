# SPDX-License-Identifier: BSD-2-Clause

"""Reading of tables: every usual form of text, Parquet, and files that are no table."""

import gzip
import io
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples

from dualgate.contract.errors import InputError
from dualgate.data.table import read_table

TABLE = pandas.DataFrame({"size": [1.5, 2.5], "kind": ["é", "b"]})


def written(folder: Path, content: bytes, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


MARKS = [(a, b) for a in ",;\t| " for b in ".," if a != b]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(("delimiter", "decimal"), MARKS)
def test_delimiter_encoding_and_decimal_mark_are_found(
    tmp_path: Path, delimiter: str, decimal: str, encoding: str
) -> None:
    if delimiter == decimal:
        pytest.skip("no program writes such a table")
    text = TABLE.to_csv(index=False, sep=delimiter, decimal=decimal)
    frame = read_table(written(tmp_path, text.encode(encoding)))
    pandas.testing.assert_frame_equal(frame, TABLE, check_dtype=False)


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_decimal_commas_without_a_header_delimit_nothing(tmp_path: Path, delimiter: str) -> None:
    lines = ["1,5;2,5;3,5", "4,5;5,5;6,5"]
    content = "\n".join(lines).replace(";", delimiter).encode()
    frame = read_table(written(tmp_path, content))
    assert frame.columns.tolist() == ["1", "2", "3"]
    assert frame.to_numpy().tolist() == [[1.5, 2.5, 3.5], [4.5, 5.5, 6.5]]


def test_several_spaces_delimit_like_one(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, b"  a    b\n  1   2  \n 30  4\n"))
    assert frame.to_dict("list") == {"a": [1, 30], "b": [2, 4]}


@pytest.mark.parametrize("delimiter", [",", " "])
def test_names_of_rows_are_left_out(tmp_path: Path, delimiter: str) -> None:
    content = b'"a","b"\n"one",1,2\n"two",3,4\n'.replace(b",", delimiter.encode())
    assert read_table(written(tmp_path, content)).to_dict("list") == {"a": [1, 3], "b": [2, 4]}


def test_cells_in_quotes_hold_delimiters_and_newlines(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, b'a,"b\nc"\n"x,\ny",2\n"z""q; 1",3\n'))
    assert frame.columns.tolist() == ["a", "b\nc"]
    assert frame["a"].tolist() == ["x,\ny", 'z"q; 1']


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_end_of_line_is_read_and_empty_lines_are_none(tmp_path: Path, newline: str) -> None:
    text = newline.join(["a,b", "", "1,2", "3,4", "", ""])
    assert read_table(written(tmp_path, text.encode())).to_dict("list") == {
        "a": [1, 3],
        "b": [2, 4],
    }


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t"])
def test_gzip_is_told_by_content(tmp_path: Path, name: str) -> None:
    frame = read_table(written(tmp_path, gzip.compress(b"a,b\n1,2\n", mtime=0), name))
    assert frame.to_dict("list") == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b\nx,y\n", ["a", "b"]),
        ("2019,size\n1,5\n2,6\n", ["2019", "size"]),
        ("1,2\n3,4\n", ["1", "2"]),
        ("1,x\n3,y\n", ["1", "2"]),
    ],
)
def test_names_are_words_above_numbers(tmp_path: Path, text: str, names: list[str]) -> None:
    assert read_table(written(tmp_path, text.encode())).columns.tolist() == names


def test_question_marks_and_nothing_are_missing(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, b"a,b\n?,x\n2, ?\nNA,\n"))
    assert frame["a"].isna().tolist() == [True, False, True]
    assert frame["b"].isna().tolist() == [False, True, True]


def test_a_late_word_makes_a_column_of_words(tmp_path: Path) -> None:
    frame = read_table(written(tmp_path, b"a\n" + b"1\n" * 300_000 + b"x\n"))
    assert frame["a"].iloc[[0, -1]].tolist() == ["1", "x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; give a table with a header and rows$"),
        (b" \n\n", "is empty; give"),
        (b"a,b\n", "has no rows; give a table"),
        (b"a,b\n1,2\n1,2,3\n", "row 3 has 3 cells where 2 are expected; mend the file$"),
        (b"a,b\n1,2\n3\n", "row 3 has 1 cells where 2"),
        (b"p,q,p\nx,y,z\n", "its first row has 'p' twice, so it does not name the columns"),
        (b"a ,'\n1,2\n" + b'"', "is no table"),
        (bytes(range(256)), "is not a table of text; give CSV, Parquet"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is not a table of text"),
        (b"PK\x03\x04abc", r"is a zip archive \(or a spreadsheet\)"),
        (b"\xd0\xcf\x11\xe0abc", "is a spreadsheet: save it as CSV"),
        (b"\x80\x02abc", "is a pickle, which may run code"),
        (b"\x80\x05abc", "is a pickle, which may run code"),
        (b"\x89HDF\r\n", "is an HDF5 file"),
        (b"\xff\xfea\0\n\0b", "is in no known encoding; save it as UTF-8"),
        (b"a,b\n\x81,\x8d\n", "is in no known encoding"),
        (b"PAR1 and no more", "is no sound Parquet file; write it again"),
        (
            gzip.compress(b"a,b\n1,2\n" * 50, mtime=0)[:30],
            "its data is damaged; choose another file",
        ),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:12] + b"\xff" * 30, "its data is damaged"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(written(tmp_path, content))
    assert "\n" not in str(caught.value)
    assert "t.csv" in str(caught.value)


def test_missing_files_and_directories_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError, match=r"^cannot read .*; choose another file$"):
            read_table(path)


def test_a_compressed_table_beyond_the_bound_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, gzip.compress(b"a,b\n" + b"1,2\n" * 5_000_000, mtime=0))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"holds more than the 1\.0 MB that are read; if"):
        read_table(path, 4 << 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=8)


@examples(100)
@given(st.one_of(st.binary(max_size=60), CELLS.map(str.encode)), st.booleans())
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, compressed: bool
) -> None:
    path = written(
        tmp_path_factory.mktemp("t"), gzip.compress(content, mtime=0) if compressed else content
    )
    with suppress(InputError):
        assert len(read_table(path))


@examples(200)
@given(st.text(alphabet='ab1 ,;\t|"\n\r?.', max_size=40))
def test_any_text_of_delimiters_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    with suppress(InputError):
        frame = read_table(written(tmp_path_factory.mktemp("t"), text.encode()))
        assert len(set(frame.columns)) == len(frame.columns) > 0


def parquet(frame: pandas.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


class TestParquet:
    """What needs pyarrow."""

    @pytest.fixture(autouse=True)
    def _needs_pyarrow(self) -> None:
        pytest.importorskip("pyarrow")

    def test_it_is_told_by_content_whatever_the_name(self, tmp_path: Path) -> None:
        frame = read_table(written(tmp_path, parquet(TABLE), "t.csv"))
        pandas.testing.assert_frame_equal(frame, TABLE, check_dtype=False)

    def test_an_index_with_a_name_is_a_column(self, tmp_path: Path) -> None:
        content = parquet(TABLE.set_index("kind"))
        assert set(read_table(written(tmp_path, content)).columns) == {"size", "kind"}

    def test_an_index_without_a_name_is_left_out(self, tmp_path: Path) -> None:
        frame = read_table(written(tmp_path, parquet(TABLE.iloc[::-1])))
        assert frame.index.tolist() == [0, 1]
        assert frame["size"].tolist() == [2.5, 1.5]

    def test_lists_and_records_are_refused(self, tmp_path: Path) -> None:
        content = parquet(pandas.DataFrame({"a": [1], "b": [[1, 2]]}))
        with pytest.raises(InputError, match="column 'b' holds lists or records"):
            read_table(written(tmp_path, content))

    def test_a_table_beyond_the_bound_is_refused_unread(self, tmp_path: Path) -> None:
        content = parquet(pandas.DataFrame({"a": np.zeros(1 << 20)}))
        assert len(content) < 1 << 20
        with pytest.raises(
            InputError, match=r"claims 8\.4 MB, more than the 1\.0 MB that are read"
        ):
            read_table(written(tmp_path, content), 4 << 20)

    @examples(60)
    @given(st.data())
    def test_damage_is_read_or_refused(
        self, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
    ) -> None:
        content = bytearray(parquet(TABLE))
        for _ in range(data.draw(st.integers(1, 4))):
            content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
        with suppress(InputError):
            read_table(written(tmp_path_factory.mktemp("t"), bytes(content)))
