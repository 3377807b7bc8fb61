"""How often findings are told of tables with which nothing is wrong."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn import datasets

from automl_jupyter.data.findings import findings
from automl_jupyter.data.read import convert

BUNDLED = {"iris": ["few_rows"], "wine": ["few_rows"], "breast_cancer": [], "diabetes": [], "digits": []}
"""Warnings of scikit-learn's own tables: two have fewer than 200 rows."""

KNOWN: dict[str, list[str]] = {
    "adult": ["disguised_missing"],  # gains of 99,999 stand for anything above
    "bike_sharing_hour": ["time_order"],
    "online_shoppers": ["duplicates"],
    "orleans_weather": ["time_order"],
    "sick": ["duplicates", "outliers"],  # somebody of 455 years
    "sms_spam": ["duplicates"],
    "spambase": ["duplicates"],
    "titanic": [],
    "wine_quality": ["drift", "duplicates"],  # red wines, then white ones
}
"""Warnings of real tables, each of them right; others have none."""

SERIOUS = {"titanic": {"boat", "body"}}

TABLES = 200


def alarms(source: Path, target: str, folder: Path) -> tuple[set[str | None], list[str]]:
    """Columns of the serious findings, and codes of the warnings."""
    read = convert(source, folder / "table.parquet")
    found = findings(folder / "table.parquet", read.columns, target)
    serious = {one.column for one in found if one.severity == "serious"}
    return serious, sorted(one.code.removeprefix("findings.") for one in found if one.severity == "warning")


@pytest.mark.parametrize("name", BUNDLED)
def test_tables_of_scikit_learn(name: str, tmp_path: Path) -> None:
    source = tmp_path / f"{name}.csv"
    getattr(datasets, f"load_{name}")(as_frame=True).frame.to_csv(source, index=False)
    assert alarms(source, "target", tmp_path) == (set(), BUNDLED[name])


@pytest.mark.slow
def test_real_tables(shared_data: Path, tmp_path: Path) -> None:
    with (shared_data / "tables" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 18
    found = {
        row["name"]: alarms(shared_data / "tables" / row["file"], row["target"], tmp_path) for row in rows
    }
    assert {name: serious for name, (serious, _) in found.items() if serious} == SERIOUS
    assert {name: warnings for name, (_, warnings) in found.items()} == {
        row["name"]: KNOWN.get(row["name"], []) for row in rows
    }


Values = np.ndarray
Maker = Callable[[np.random.Generator, int, Values], Values]


def shares(r: np.random.Generator) -> list[float]:
    share = r.uniform(0.05, 0.95)
    return [share, 1 - share]


def levels(r: np.random.Generator, n: int) -> Values:
    names = np.array([f"level {chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(61)])
    return names[np.minimum(r.zipf(r.uniform(1.3, 2.5), n), 60)]


MAKERS: tuple[Maker, ...] = (
    lambda r, n, z: np.round(r.uniform(-500, 500) + r.uniform(1, 100) * z, r.integers(0, 5)),
    lambda r, n, z: np.round(np.exp(r.uniform(0, 9) + r.uniform(0.2, 1.2) * z), r.integers(0, 3)),
    lambda r, n, z: np.round(r.exponential(r.uniform(1, 100), n), 2),
    lambda r, n, z: np.round(r.standard_t(4, n) * r.uniform(1, 10), 3),
    lambda r, n, z: np.round(r.beta(r.uniform(0.5, 5), r.uniform(0.5, 5), n), r.integers(2, 5)),
    lambda r, n, z: np.round(r.gamma(r.uniform(0.5, 5), r.uniform(1, 1000), n), 1),
    lambda r, n, z: np.where(r.random(n) < r.uniform(0.3, 0.95), 0, np.round(np.exp(3 + z), 2)),
    lambda r, n, z: r.poisson(r.uniform(0.3, 30), n),
    lambda r, n, z: r.integers(0, r.integers(2, 5000), n),
    lambda r, n, z: r.integers(1, r.integers(3, 11), n),
    lambda r, n, z: r.geometric(r.uniform(0.05, 0.6), n),
    lambda r, n, z: levels(r, n),
    lambda r, n, z: r.choice(["yes", "no"], n, p=shares(r)),
    lambda r, n, z: (np.datetime64("2015-01-01") + r.integers(0, 2000, n).astype("timedelta64[D]")).astype(
        str
    ),
)
"""Columns of many shapes, some of them long-tailed, of few values or mostly zero."""


def clean_table(seed: int) -> dict[str, list[object]]:
    """A table of 200 to 4,000 independent rows and 3 to 20 columns, half of which the target follows."""
    r = np.random.default_rng(seed)
    n = int(np.exp(r.uniform(np.log(200), np.log(4000))))
    table: dict[str, list[object]] = {}
    signal = np.zeros(n)
    for j in range(int(r.integers(3, 21))):
        z = r.normal(size=n)
        values = MAKERS[int(r.integers(len(MAKERS)))](r, n, z).astype(object).tolist()
        if r.random() < 0.25:
            share = r.uniform(0, 0.4)
            values = ["" if u < share else value for value, u in zip(values, r.random(n), strict=True)]
        table[f"c{j}"] = values
        signal += r.normal() * z * (r.random() < 0.5)
    signal = signal / max(signal.std(), 1e-9) * r.uniform(0, 1.5) + r.normal(size=n)
    if r.random() < 0.5:
        table["y"] = np.round(100 + 10 * signal, 2).tolist()
    else:
        classes = int(r.integers(2, 6))
        edges = np.quantile(signal, r.dirichlet(np.full(classes, 5)).cumsum()[:-1])
        table["y"] = [["low", "mid", "high", "top", "most"][i] for i in np.searchsorted(edges, signal)]
    return table


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_random_clean_table_in_a_hundred_is_warned_of_at_most(tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in range(10_000, 10_000 + TABLES):
        table = clean_table(seed)
        source = tmp_path / "table.csv"
        with source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
        serious, warnings = alarms(source, "y", tmp_path)
        assert not serious, (seed, serious)
        counts.update({f"{seed}: {code}" for code in warnings})
    assert len(counts) <= TABLES / 100, counts


def test_rows_of_few_combinations_repeat_by_nature(tmp_path: Path) -> None:
    r = np.random.default_rng(0)
    source = tmp_path / "survey.csv"
    answers = r.choice(["agree", "neutral", "disagree"], (1500, 4), p=[0.7, 0.2, 0.1])
    lines = [",".join([*row, r.choice(["yes", "no"])]) for row in answers]
    source.write_text("\n".join(["a,b,c,d,y", *lines]) + "\n", "utf-8")
    assert alarms(source, "y", tmp_path) == (set(), [])
    # The same rows among which one answer is a long number repeat by mistake alone.
    measured = [f"{line},{r.random():.9f}" for line in lines]
    source.write_text("\n".join(["a,b,c,d,y,m", *measured, *measured[:200]]) + "\n", "utf-8")
    assert alarms(source, "y", tmp_path) == (set(), ["duplicates"])


def test_a_long_tail_is_long_by_nature(tmp_path: Path) -> None:
    for seed in range(30):
        r = np.random.default_rng(seed)
        values = r.pareto(1.2, 800)
        source = tmp_path / "sizes.csv"
        lines = [f"{v:.4f},{r.choice(['yes', 'no'])}" for v in values]
        source.write_text("\n".join(["size,y", *lines]) + "\n", "utf-8")
        assert alarms(source, "y", tmp_path) == (set(), []), seed
