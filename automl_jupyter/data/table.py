"""The columns of a table: what each can be for a model, and the whole as a pandas DataFrame."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from automl_jupyter.data.model import ColumnType, Role

if TYPE_CHECKING:
    import pandas as pd

_ID_NAME = re.compile(
    r"(?:.*[\s_.-])?(?:id|uuid|guid|ids|index|idx|rownames?|row_?id|row_?num(?:ber)?)", re.IGNORECASE
)
_ID_CAMEL = re.compile(r".*[a-z]I[Dd]|column_1|Unnamed: 0")
_FEW_ROWS = 20
_LONG_TEXT = 40
_MANY_WORDS = 3
_EXACT = 2**53
_UNIX_TIMES = (10**9, 10**12, 10**15, 10**18)


def role(  # noqa: PLR0911 - one line for each role
    name: str,
    type_: ColumnType,
    *,
    rows: int,
    missing: int,
    distinct: int,
    capped: bool,
    texts: Sequence[str],
) -> Role:
    """Return what a column can be for a model.

    Parameters
    ----------
    name : str
        The column's name.
    type_ : ColumnType
        How its values are stored.
    rows, missing, distinct : int
        How many rows, missing values and distinct values it has.
    capped : bool
        Whether there are more distinct values than were counted.
    texts : sequence of str
        Some of its values as written.
    """
    present = rows - missing
    if not present:
        return "empty"
    if distinct == 1 and not missing:
        return "constant"
    if type_ == "boolean":
        return "boolean"
    if type_ == "datetime":
        return "datetime"
    unique = distinct == present or capped
    named = bool(_ID_NAME.fullmatch(name) or _ID_CAMEL.fullmatch(name))
    if type_ != "string":
        code = named or (present >= _FEW_ROWS and _all_long_codes(texts))
        return "id" if type_ == "integer" and unique and code and not missing else "numeric"
    words = sum(len(text.split()) for text in texts) / max(len(texts), 1)
    length = sum(len(text) for text in texts) / max(len(texts), 1)
    share = 1.0 if capped else distinct / present
    if unique and words < 2 and (named or present >= _FEW_ROWS) and length <= _LONG_TEXT * 2:
        return "id"
    if share > 0.2 and present >= _FEW_ROWS and (words >= _MANY_WORDS or length >= _LONG_TEXT):
        return "text"
    return "text" if words >= 8 or length >= 200 else "category"


def _all_long_codes(texts: Sequence[str]) -> bool:
    """Whether whole numbers look like those of cards and accounts: long, of one length, and no Unix times."""
    lengths = {len(text) for text in texts}
    if len(lengths) != 1 or min(lengths) < 9 or not all(text.isdigit() for text in texts):
        return False
    return not any(all(low <= int(text) < 2.2 * low for text in texts) for low in _UNIX_TIMES)


def load_table(parquet: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Load a converted file for training.

    Integers without missing values are ``int64``; with some they are ``float64`` with NaN, or, beyond 2**53
    where a float would lose digits, pandas' nullable ``Int64``. Numbers are ``float64``, texts are of pandas'
    ``str`` type with NaN, times ``datetime64[us]`` (with zone UTC where the file had zones), truth values
    ``bool``, or ``object`` with None where some are missing. Infinite numbers stay infinite.

    Parameters
    ----------
    parquet : Path
        What :func:`automl_jupyter.data.read.convert` wrote.
    columns : sequence of str, optional
        The columns to load, in this order; all by default.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    table = pq.read_table(parquet, columns=None if columns is None else list(columns))
    series: list[pd.Series] = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if pa.types.is_integer(column.type) and column.null_count:
            bounds = pc.min_max(column)
            low, high = bounds["min"].as_py(), bounds["max"].as_py()
            exact = low is not None and max(-low, high) > _EXACT
            data = (
                column.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
                if exact
                else column.to_pandas()
            )
        else:
            data = column.to_pandas()
        series.append(data.rename(name))
    return pd.concat(series, axis=1) if series else pd.DataFrame(index=range(table.num_rows))
