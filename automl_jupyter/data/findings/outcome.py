"""Whether there are rows enough to learn from, in all and of each class."""

from __future__ import annotations

from collections.abc import Iterator

from automl_jupyter.data.findings.model import Finding, percent
from automl_jupyter.data.findings.power import Target
from automl_jupyter.data.findings.sample import Sample

_VERY_FEW, _FEW = 50, 200
_PER_CLASS = 10
_RARE, _VERY_RARE = 0.1, 0.01
_LISTED = 5


def enough(sample: Sample, target: Target | None) -> Iterator[Finding]:
    """Find tables with few rows, more columns than rows, classes with few rows, and rare classes.

    Parameters
    ----------
    sample : Sample
        The table.
    target : Target, optional
        What to predict.
    """
    rows, columns = sample.rows, len(sample.series) - (target is not None)
    if rows < _FEW:
        severity = "serious" if rows < _VERY_FEW else "warning"
        yield Finding(
            "findings.few_rows",
            "serious" if severity == "serious" else "warning",
            {"n": rows},
            evidence={"rows": rows},
        )
    if columns > rows:
        yield Finding(
            "findings.many_columns",
            "warning",
            {"columns": columns, "rows": rows},
            evidence={"rows": rows, "columns": columns},
        )
    if target is not None and target.classes > 1 and sample.whole:
        yield from _classes(target)
    elif target is not None and target.classes > 1:
        yield from _rare(target)


def _classes(target: Target) -> Iterator[Finding]:
    counts = target.counts
    few = [i for i in counts.argsort(kind="stable").tolist() if counts[i] < _PER_CLASS]
    if not few:
        yield from _rare(target)
        return
    labels = [str(target.series.levels[i]) for i in few]
    yield Finding(
        "findings.few_rows_in_class",
        "warning",
        {"target": target.series.name, "labels": labels[:_LISTED], "n": len(few), "least": int(counts.min())},
        target.series.name,
        (target.series.name,),
        {"rows": {label: int(counts[i]) for label, i in zip(labels[:_LISTED], few, strict=False)}},
    )


def _rare(target: Target) -> Iterator[Finding]:
    counts = target.counts
    share = float(counts.min() / counts.sum())
    # Among many classes each is rare; what counts is how far one stays behind an equal part.
    if share * target.classes / 2 >= _RARE:
        return
    label = str(target.series.levels[int(counts.argmin())])
    yield Finding(
        "findings.imbalance",
        "warning" if share * target.classes / 2 < _VERY_RARE else "info",
        {
            "target": target.series.name,
            "label": label,
            "share": percent(share),
            "common": str(target.series.levels[int(counts.argmax())]),
            "accuracy": percent(float(counts.max() / counts.sum())),
        },
        target.series.name,
        (target.series.name,),
        {
            "rows_of_rarest": int(counts.min()),
            "rows_of_most_frequent": int(counts.max()),
            "share": round(share, 4),
        },
    )
