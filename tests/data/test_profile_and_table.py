"""What a converted file says about itself, and how it is loaded for training."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from automl_jupyter.data import ReadResult
from automl_jupyter.data.profile import profile
from automl_jupyter.data.read import convert
from automl_jupyter.data.table import load_table

Read = Callable[..., ReadResult]


def profiled(folder: Path, content: str) -> dict[str, dict[str, Any]]:
    source, target = folder / "p.csv", folder / "p.parquet"
    source.write_text(content, encoding="utf-8")
    convert(source, target)
    found = json.loads(json.dumps(profile(target), allow_nan=False))
    return {entry["name"]: entry for entry in found["columns"]}


def test_numbers_agree_with_numpy(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=500).round(3)
    content = "x,k\n" + "".join(f"{v},{i % 7}\n" for i, v in enumerate(values)) + ",3\n"
    found = profiled(tmp_path, content)
    x, k = found["x"], found["k"]
    assert (x["count"], x["missing"], x["distinct"]) == (500, 1, len(set(values)))
    assert x["mean"] == pytest.approx(values.mean())
    assert x["std"] == pytest.approx(values.std(ddof=1))
    assert (x["min"], x["max"]) == (values.min(), values.max())
    assert x["quantiles"]["0.25"] == pytest.approx(np.quantile(values, 0.25))
    assert len(x["histogram"]["counts"]) == 20
    assert sum(x["histogram"]["counts"]) == 500
    assert k["histogram"]["edges"] == [-0.5, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]
    assert k["top"][0] == {"value": 0, "count": 72}
    assert not x["sampled"]


def test_texts_times_and_truth_values(tmp_path: Path) -> None:
    found = profiled(
        tmp_path, "t,d,b\nred,2024-01-01,true\nblue,2024-01-03,false\nred,,true\n,2024-01-02,true\n"
    )
    assert found["t"]["top"] == [{"value": "red", "count": 2}, {"value": "blue", "count": 1}]
    assert (found["t"]["min_length"], found["t"]["max_length"]) == (3, 4)
    assert found["t"]["mean_length"] == pytest.approx(10 / 3)
    assert found["d"]["min"] == "2024-01-01T00:00:00"
    assert found["d"]["mean"] == found["d"]["quantiles"]["0.5"] == "2024-01-02T00:00:00"
    assert found["d"]["std"] == pytest.approx(86400)
    assert found["b"]["top"][0] == {"value": True, "count": 3}


def test_extremes_do_no_harm(tmp_path: Path) -> None:
    found = profiled(
        tmp_path,
        "inf,big,huge,empty,one\n1.5,9007199254740993,1e308,,7\ninf,9007199254740994,-1e308,,\n-inf,1,1e308,,\n",
    )
    assert found["inf"]["infinite"] == 2
    assert found["inf"]["max"] == 1.5
    assert found["big"]["max"] == "9007199254740994"
    assert found["huge"]["histogram"] is None
    assert (found["empty"]["count"], found["empty"]["top"], found["empty"]["max_length"]) == (0, [], None)
    assert found["one"]["std"] is None


def test_long_tables_are_sampled_evenly(tmp_path: Path) -> None:
    profiled(tmp_path, "x\n" + "".join(f"{i}\n" for i in range(10_000)))
    found = profile(tmp_path / "p.parquet", sample=2_000)
    columns: Any = found["columns"]
    assert columns[0]["sampled"]
    assert sum(columns[0]["histogram"]["counts"]) == 2_000
    assert columns[0]["quantiles"]["0.5"] == pytest.approx(5_000, abs=5)
    assert (columns[0]["max"], columns[0]["mean"]) == (9_999, pytest.approx(4_999.5))


def test_types_for_training(tmp_path: Path) -> None:
    source, target = tmp_path / "t.csv", tmp_path / "t.parquet"
    source.write_text(
        "i,ni,nb,f,t,b,mb,d,z\n"
        "1,1,9007199254740993,1.5,x,true,true,2024-01-01,2024-01-01T00:00Z\n"
        "2,,9007199254740995,,,false,,,2024-01-02T00:00Z\n"
        "3,3,,2.5,y,true,false,2024-01-03,2024-01-03T00:00Z\n"
    )
    convert(source, target)
    frame = load_table(target)
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "i": "int64",
        "ni": "float64",
        "nb": "Int64",
        "f": "float64",
        "t": "str",
        "b": "bool",
        "mb": "object",
        "d": "datetime64[us]",
        "z": "datetime64[us, UTC]",
    }
    assert np.isnan(frame["ni"][1])
    assert frame["nb"][0] == 9007199254740993
    assert pd.isna(frame["t"][1])
    assert frame["mb"][1] is None
    assert pd.isna(frame["d"][1])
    assert list(load_table(target, ["t", "i"]).columns) == ["t", "i"]
    assert len(load_table(target, [])) == 3


@pytest.mark.parametrize(
    ("content", "role"),
    [
        ("x,y\n" + "".join(f"{i * 3 % 50},1\n" for i in range(50)), "numeric"),
        ("user_id,y\n" + "".join(f"{i},1\n" for i in range(50)), "id"),
        ("userId,y\n" + "".join(f"{i},1\n" for i in range(50)), "id"),
        ("customer id,y\n" + "".join(f"{i % 5},1\n" for i in range(50)), "numeric"),
        ("paid,y\n" + "".join(f"{i},1\n" for i in range(50)), "numeric"),
        ("x,y\n" + "".join(f"{4000000000000000 + i * 7},1\n" for i in range(50)), "id"),
        ("x,y\n" + "".join(f"{1700000000 + i * 60},1\n" for i in range(50)), "numeric"),
        ("x,y\n" + "".join(f"AB-{i:04},1\n" for i in range(50)), "id"),
        ("x,y\n" + "".join(f"{'red' if i % 2 else 'blue'},1\n" for i in range(50)), "category"),
        ("x,y\n" + "".join(f"a note about thing {i},1\n" for i in range(50)), "text"),
        ("x,y\n" + "5,1\n" * 50, "constant"),
        ("x,y\n" + "5,1\n,1\n" * 25, "numeric"),
        ("x,y\n" + ",1\n" * 50, "empty"),
        ("x,y\n" + "?,1\n" * 50, "empty"),
        ("x,y\n" + "true,1\nfalse,1\n" * 9, "boolean"),
        ("x,y\n" + "".join(f"2024-01-{i:02},1\n" for i in range(1, 29)), "datetime"),
    ],
)
def test_roles(read: Read, content: str, role: str) -> None:
    assert read(content).columns[0].role == role


def test_distinct_values_are_counted_up_to_a_cap(read: Read) -> None:
    first = read("a,b\n" + "".join(f"{i},{i % 100_000}\n" for i in range(100_001))).columns
    assert (first[0].distinct, first[0].distinct_capped) == (100_000, True)
    assert (first[1].distinct, first[1].distinct_capped) == (100_000, False)


def test_reading_and_profiling_need_no_pandas(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("a;b;c;d\n1,5;x;01/02/2024;NA\n2,5;$y;03/04/2024;7\n;;;\nbad;'z;2024;$5\n")
    code = (
        "import sys; from pathlib import Path\n"
        "from automl_jupyter.data.read import convert, ReadOptions\n"
        "from automl_jupyter.data.profile import profile\n"
        "source, target = map(Path, sys.argv[1:])\n"
        "convert(source, target, ReadOptions(column_types={'a': 'number', 'c': 'datetime'}))\n"
        "profile(target)\n"
        "sys.exit(any(name in sys.modules for name in ('pandas', 'sklearn', 'scipy', 'pydantic')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source, tmp_path / "t.parquet"], check=False, timeout=60
    )
    assert done.returncode == 0
