"""Files that are read in many blocks, and cells that are longer than the first look at a file."""

from __future__ import annotations

import pyarrow.parquet as pq
import pytest

from automl_jupyter.data import read
from automl_jupyter.data.profile import profile
from automl_jupyter.data.read import convert
from automl_jupyter.errors import Unprocessable

ROWS = 40_000


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 16 kB, of which Arrow may read three ahead."""
    monkeypatch.setattr(read, "_BLOCK", 1 << 14)
    monkeypatch.setattr(read, "_AHEAD", 1 << 14)


def lines(rows=ROWS):
    return ["number,name,share", *(f"{i},n{i % 7},{i / 8}" for i in range(rows))]


def written(tmp_path, text):
    path = tmp_path / "large.csv"
    path.write_text(text, encoding="utf-8", newline="")
    return path


def test_many_blocks_make_one_table_in_order(tmp_path, small_blocks):
    result = convert(written(tmp_path, "\n".join(lines())), tmp_path / "t.parquet")
    assert result.rows == ROWS
    table = pq.read_table(tmp_path / "t.parquet")
    assert table.column("number").to_pylist() == list(range(ROWS))
    described = profile(tmp_path / "t.parquet")["columns"][1]
    assert (described["distinct"], sum(top["count"] for top in described["top"])) == (7, ROWS)
    assert described["top"][0] == {"value": "n0", "count": ROWS // 7 + 1}


@pytest.mark.parametrize("place", [10, ROWS // 2, ROWS])
def test_a_row_that_needs_repair_ends_the_fast_reading_wherever_it_stands(tmp_path, small_blocks, place):
    content = lines()
    content[place] = content[place].rpartition(",")[0]
    result = convert(written(tmp_path, "\n".join(content)), tmp_path / "t.parquet")
    assert result.rows == ROWS
    assert [warning.code for warning in result.warnings] == ["data.short_rows"]


@pytest.mark.parametrize("place", [10, ROWS // 2, ROWS])
def test_a_row_that_cannot_be_read_is_told_wherever_it_stands(tmp_path, small_blocks, place):
    content = lines()
    content[place] += ",more"
    with pytest.raises(Unprocessable) as caught:
        convert(written(tmp_path, "\n".join(content)), tmp_path / "t.parquet")
    assert (caught.value.code, caught.value.params["line"]) == ("data.long_row", place + 1)
    assert list(tmp_path.glob("*")) == [tmp_path / "large.csv"]


def test_blocks_of_blank_lines_do_not_hold_the_reading_up(tmp_path, small_blocks):
    content = [*lines(5_000), *[""] * 200_000, *lines(5_000)[1:]]
    assert convert(written(tmp_path, "\n".join(content)), tmp_path / "t.parquet").rows == 10_000


@pytest.mark.parametrize("characters", [300_000, 2_000_000])
def test_the_first_row_may_be_longer_than_the_first_look(tmp_path, characters):
    text = ('word ""quoted"", and\nmore ' * (characters // 25))[:characters].rstrip('"')
    rows = [f'{i},"{text}",{i % 2}' for i in range(3)]
    result = convert(written(tmp_path, "\n".join(["a,story,b", *rows])), tmp_path / "t.parquet")
    assert [column.name for column in result.columns] == ["a", "story", "b"]
    stories = pq.read_table(tmp_path / "t.parquet").column("story").to_pylist()
    assert stories == [text.replace('""', '"')] * 3


def test_a_quote_that_never_closes_is_still_told(tmp_path):
    text = "a,b\n" + '1,"open ' + "words and\n" * 100_000
    with pytest.raises(Unprocessable) as caught:
        convert(written(tmp_path, text), tmp_path / "t.parquet")
    assert (caught.value.code, caught.value.params["line"]) == ("data.open_quote", 2)
