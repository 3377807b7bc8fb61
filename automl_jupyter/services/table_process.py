"""The process that reads tables: CSV bytes in, Parquet with its profile out, beside the server.

Run by the server as ``python -m automl_jupyter.services.table_process``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

from automl_jupyter.backends.process_main import serve
from automl_jupyter.data.model import ReadOptions
from automl_jupyter.data.overrides import fitting, from_json, laid_over
from automl_jupyter.data.profile import profile
from automl_jupyter.data.read import convert, names
from automl_jupyter.errors import Conflict

BLOCK = 1024 * 1024


def digest_of(path: Path) -> str:
    """SHA-256 of a file's bytes, as hexadecimal digits."""
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
    return sha.hexdigest()


def check(digest: str, expected: str, name: str) -> None:
    """Refuse a file of a data set that is not as it was kept.

    Raises
    ------
    Conflict
        If its digest is another one.
    """
    if digest != expected:
        raise Conflict("services.dataset_tampered", dataset=name)


def bounds(spread: Mapping[str, Any]) -> dict[str, Any]:
    """The range of a column of numbers: with it, classes that are counted can be told from quantities."""
    if spread["type"] not in ("integer", "number"):
        return {}
    low, high = spread["min"], spread["max"]
    return {"lowest": low, "highest": high} if isinstance(low, int | float) else {}


def decided(source: Path, before: Mapping[str, Any], asked: Mapping[str, Any]) -> ReadOptions:
    """How to read a file again: what is asked now over what its last reading was told."""
    together = laid_over(before, asked)
    if not before:
        return from_json(together)
    return from_json(fitting(together, asked, names(source, from_json(together))))


def take_in(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Read ``source`` and leave ``table.parquet``, ``profile.json`` and ``preview.json`` in ``folder``.

    ``options`` are what is asked of the reading, ``before`` what an earlier reading of the file was told, and
    ``digest`` what its digest was then, ``name`` the data set's.

    Raises
    ------
    UnsupportedType, Unprocessable
        If it is no table that can be read.
    Conflict
        If it is not the file that was read before.
    """
    source, folder = Path(payload["source"]), Path(payload["folder"])
    table = folder / "table.parquet"
    options = decided(source, payload.get("before", {}), payload.get("options", {}))
    with ThreadPoolExecutor(1, "digest") as pool:
        digest = pool.submit(digest_of, source)
        result = convert(source, table, options)
    if "digest" in payload:
        check(digest.result(), payload["digest"], payload["name"])
    described = asdict(result)
    preview = {"columns": [column["name"] for column in described["columns"]], "rows": described["preview"]}
    (folder / "preview.json").write_text(json.dumps(preview), encoding="utf-8")
    distribution = profile(table)
    spreads = cast("list[Mapping[str, Any]]", distribution["columns"])
    (folder / "profile.json").write_text(json.dumps(distribution), encoding="utf-8")
    return {
        "rows": result.rows,
        "columns": [
            {**column, **bounds(spread)} for column, spread in zip(described["columns"], spreads, strict=True)
        ],
        "dialect": described["dialect"],
        "warnings": described["warnings"],
        "digest": digest.result(),
        "table_digest": digest_of(table),
    }


def look(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Look at a table that was taken in for what should be known before training.

    Raises
    ------
    Conflict
        If the file is not the one that was taken in.
    """
    table = Path(payload["table"])
    check(digest_of(table), payload["digest"], payload["name"])
    # Whoever only brings a file does not pay for this.
    from automl_jupyter.data.findings import findings

    found = findings(table, payload["columns"], payload["target"])
    return {"findings": [asdict(finding) for finding in found]}


def draw(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Draw a table that was taken in, of which the ``profile`` is known.

    Raises
    ------
    Conflict
        If the file is not the one that was taken in.
    """
    table, profile = Path(payload["table"]), payload["profile"]
    check(digest_of(table), payload["digest"], payload["name"])
    # Whoever only brings a file does not pay for this.
    from automl_jupyter.data.table import load_table
    from automl_jupyter.engine.charts.table import charts

    gaps = [column["name"] for column in profile["columns"] if column["missing"]]
    rows = load_table(table, gaps or [column["name"] for column in profile["columns"]][:1])
    return {"charts": [chart.to_dict() for chart in charts(profile, rows)]}


if __name__ == "__main__":
    serve({"take_in": take_in, "look": look, "draw": draw})
