"""Fixtures of the data room: a CSV written and read in one step, and the folder of awkward files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from automl_jupyter.data import ReadResult
from automl_jupyter.data.overrides import from_json
from automl_jupyter.data.read import convert


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadResult]:
    """Write content to a file, convert it, and check that nothing but the result is left behind."""

    def _read(content: str | bytes, **options: object) -> ReadResult:
        source, target = tmp_path / "table.csv", tmp_path / "out" / "table.parquet"
        target.parent.mkdir(exist_ok=True)
        target.unlink(missing_ok=True)
        data = content.encode() if isinstance(content, str) else content
        source.write_bytes(data)
        try:
            result = convert(source, target, from_json(options))
        except BaseException:
            assert not list(target.parent.iterdir())
            raise
        assert [path.name for path in target.parent.iterdir()] == ["table.parquet"]
        assert source.read_bytes() == data
        return result

    return _read
