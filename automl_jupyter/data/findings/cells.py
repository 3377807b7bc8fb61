"""Values that are not what they seem: missing ones in disguise, stray words, numbers far off, none at all."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from automl_jupyter import messages
from automl_jupyter.data.findings.model import Finding, number
from automl_jupyter.data.findings.sample import Floats, Sample, Series, quantiles

_WORDS = frozenset(
    (
        *("n/a", "n.a.", "n.a", "na", "#n/a", "<na>", "null", "nan", "nil", "?", "-", "--", ".", "..", "tbd"),
        *("missing", "(missing)", "(blank)", "unknown", "<unknown>", "unk", "unkn", "undefined", "no data"),
        *("not available", "not known", "not specified", "not provided", "not applicable", "no answer"),
        *("inconnu", "inconnue", "non renseigné", "non renseignée", "non disponible", "manquant", "nr", "nc"),
    )
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[ ,.]\d+)*|\.\d+)(?:[eE][+-]?\d+)?")
_REPEATED = re.compile(r"-?(?:9{2,}|8{2,}|7{2,}|99+\.(?:0|9)+|1e\+?\d+)")
_LIMITS = frozenset((-32768, 32767, -(2**31), 2**31 - 1, -(2**63), 2**63 - 1))
_EPOCHS = frozenset(("1900-01-01", "1899-12-30", "1899-12-31", "1970-01-01", "9999-12-31", "0001-01-01"))
_LEAST_SHARE, _LEAST = 0.002, 3
_MOST_SHARE = 0.9
_OTHERS = 5
_MIXED = 0.8
_MOST_WORDS = 200
_LISTED = 5
_MOST_OUTLIERS = 0.005
_FEWEST = 30
_FAR = 6.0
_CHANCE = 1e-4
_TAIL, _LEAST_IN_TAIL = 0.05, 10


def empty_and_constant(sample: Sample, target: str | None) -> Iterator[Finding]:
    """Find columns without any value, and those with one for all rows."""
    for role in ("empty", "constant"):
        names = tuple(series.name for series in sample.features(target) if series.role == role)
        if names:
            yield Finding(
                "findings.empty" if role == "empty" else "findings.constant",
                "info",
                {"columns": list(names[:_LISTED]), "n": len(names)},
                names[0] if len(names) == 1 else None,
                names,
                {"columns": len(names), "rows": sample.rows},
                {"exclude": list(names)},
            )


def disguised(series: Series) -> Finding | None:
    """Find a value that stands for a missing one.

    A number is suspected if it is frequent, stands at one end, and is far from all others; one such as -999
    or 9999 needs a smaller gap than any other. -1 is suspected if it is the only negative number.

    Parameters
    ----------
    series : Series
        The column.
    """
    if series.type == "string":
        return _disguised_word(series)
    if series.type not in ("integer", "number", "datetime"):
        return None
    values = series.ordered
    if len(values) < _FEWEST or np.count_nonzero(np.diff(values)) < _OTHERS:
        return None
    lowest, highest = float(values[0]), float(values[-1])
    above, below = values[values > lowest], values[values < highest]
    for value, rest, nearest in ((lowest, above, float(above[0])), (highest, below, float(below[-1]))):
        n = len(values) - len(rest)
        if not max(_LEAST, _LEAST_SHARE * len(values)) <= n <= _MOST_SHARE * len(values):
            continue
        if _stands_for_missing(series, value, abs(nearest - value), rest, n / len(values)):
            return _disguise(series, _written(series, value), n, len(values), nearest)
    return None


def _stands_for_missing(series: Series, value: float, gap: float, rest: Floats, share: float) -> bool:
    if series.type == "datetime":
        return _written(series, value) in _EPOCHS and gap > _spread(rest) / 2
    text = number(value)
    if bool(_REPEATED.fullmatch(text)) or value in _LIMITS:
        return gap >= _spread(rest)
    low, high = float(rest[0]), float(rest[-1])
    if value == -1:
        return share >= 0.01 and low >= 0 and high >= 10
    # Any other value has to be farther from the rest than the rest is wide, and then some. Nothing is said
    # of zero: that of a column of amounts means none.
    return value != 0 and share >= 0.01 and gap >= 3 * (high - low) > 0


def _spread(ordered: Floats) -> float:
    low, high = quantiles(ordered, (0.05, 0.95))
    return max(float(high - low), 1e-12)


def _written(series: Series, value: float) -> str:
    if series.type == "datetime":
        return str(np.datetime64(int(value), "us").astype("datetime64[D]"))
    return number(value)


def _disguised_word(series: Series) -> Finding | None:
    if series.role in ("text", "id", "constant", "empty"):
        return None
    counts = np.bincount(series.codes[series.present], minlength=series.distinct)
    words = [i for i, value in enumerate(series.levels) if str(value).strip().lower() in _WORDS]
    if not words or len(words) == series.distinct or series.distinct - len(words) < 2:
        return None
    word = max(words, key=lambda i: counts[i])
    n, total = int(counts[words].sum()), int(counts.sum())
    value = str(series.levels[word])
    return _disguise(series, value, n, total, None, [str(series.levels[i]) for i in words])


def _disguise(
    series: Series, value: str, n: int, total: int, nearest: float | None, values: list[str] | None = None
) -> Finding:
    evidence: dict[str, object] = {"value": value, "cells": n, "cells_looked_at": total}
    params: dict[str, object] = {"column": series.name, "value": value, "n": n}
    if nearest is not None:
        params["nearest"] = evidence["nearest_other_value"] = _written(series, nearest)
        if series.numeric:
            params |= {"value": messages.cell(float(value)), "nearest": messages.cell(nearest)}
    return Finding(
        "findings.disguised_word" if nearest is None else "findings.disguised_missing",
        "info" if nearest is None else "warning",
        params,
        series.name,
        (series.name,),
        evidence,
        {"missing_values": {series.name: values or [value]}},
    )


def mixed(series: Series) -> Finding | None:
    """Find a column of texts that are mostly numbers, with some words among them."""
    if series.type != "string" or series.role in ("text", "empty", "constant"):
        return None
    counts = np.bincount(series.codes[series.present], minlength=series.distinct)
    numbers = np.array([bool(_NUMBER.fullmatch(str(value).strip())) for value in series.levels])
    named = np.array([str(value).strip().lower() in _WORDS for value in series.levels])
    words = ~numbers & ~named
    total, n = int(counts.sum()), int(counts[words].sum()) if len(words) else 0
    if total < _FEWEST or not n or counts[numbers].sum() < _MIXED * total or numbers.sum() < _OTHERS:
        return None
    often = sorted(np.flatnonzero(words), key=lambda i: -counts[i])
    # Read as numbers, the words would be missing; of too many it is better to read the file again.
    action: dict[str, object] = {"column_types": {series.name: "number"}}
    if len(often) <= _MOST_WORDS:
        gone = [str(series.levels[i]) for i in (*often, *np.flatnonzero(named))]
        action["missing_values"] = {series.name: gone}
    return Finding(
        "findings.mixed_types",
        "warning",
        {"column": series.name, "n": n, "words": [str(series.levels[i])[:60] for i in often[:_LISTED]]},
        series.name,
        (series.name,),
        {"numbers": int(counts[numbers].sum()), "words": n, "cells_looked_at": total},
        action,
    )


def outliers(series: Series) -> Finding | None:
    """Find a few numbers that are many times as far from the middle as all others.

    How far is far is taken from the column: where the farthest of the others already lies far beyond their
    99th percentile, the tail is long by nature. So it is where its weight (Hill, 1975, "A simple general
    approach to inference about the tail of a distribution") would bring forth such a gap more often than once
    in ten thousand columns: the two largest of values with a tail of index a are r times apart with a chance
    of r to the power of -a.

    Parameters
    ----------
    series : Series
        The column.
    """
    if not series.numeric or series.distinct <= _OTHERS or series.role == "id":
        return None
    values = series.ordered
    if len(values) < _FEWEST:
        return None
    middle = float(values[(len(values) - 1) // 2 : len(values) // 2 + 1].mean())
    most = max(1, int(_MOST_OUTLIERS * len(values)))
    above = values - middle
    for distance, upwards in ((above, True), (-above[::-1], False)):
        for n in range(1, most + 1):
            if _is_far(distance, n):
                found, rest = (values[-n:], values[-n - 1]) if upwards else (values[:n], values[n])
                return _outlier(series, found.tolist(), float(rest), middle, len(values))
    return None


def _is_far(distance: Floats, n: int) -> bool:
    """Whether the last n of some distances from the middle, ascending, are far beyond the others."""
    inner, outer = float(distance[-n - 1]), float(distance[-n])
    if inner <= 0 or outer < _FAR * inner:
        return False
    low, high = quantiles(distance, (0.01, 0.99 - _MOST_OUTLIERS)).tolist()
    usual = max(high, -low)
    tail = max(inner / usual, 1.0) if usual > 0 else np.inf
    far = outer >= max(_FAR, 3 * tail) * max(inner, usual)
    return bool(far and (outer / inner) ** -_tail_index(distance[:-n]) < _CHANCE)


def _tail_index(distance: Floats) -> float:
    """Return the index of the tail of some distances in ascending order; infinite if there is no tail."""
    k = max(_LEAST_IN_TAIL, int(_TAIL * len(distance)))
    base, tail = float(distance[-k - 1]), distance[-k:]
    spread = float(np.log(tail / base).sum()) if base > 0 else 0.0
    return k / spread if spread > 0 else np.inf


def _outlier(series: Series, found: list[float], nearest: float, middle: float, total: int) -> Finding:
    extreme = max(found, key=lambda value: abs(value - middle))
    return Finding(
        "findings.outliers",
        "warning",
        {
            "column": series.name,
            "n": len(found),
            "extreme": messages.cell(extreme),
            "nearest": messages.cell(nearest),
        },
        series.name,
        (series.name,),
        {
            "values": [number(value) for value in found[:_LISTED]],
            "cells": len(found),
            "cells_looked_at": total,
            "farthest_of_the_others": number(nearest),
            "median": number(middle),
        },
    )
