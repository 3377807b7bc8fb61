"""Several wishes for one request to train: what findings propose, and what people say themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def combined(wishes: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Bring fields of requests to train together in one request.

    Parameters
    ----------
    wishes : iterable of mapping
        Fields of a request, such as the ``action`` of a finding.

    Returns
    -------
    dict
        What is learnt from are the columns that every wish keeps; values that stand for a missing one add up;
        of all other fields the first wish holds.
    """
    body: dict[str, Any] = {}
    for wish in wishes:
        for name, value in wish.items():
            if name == "columns" and name in body:
                body[name] = [column for column in body[name] if column in set(value)]
            elif name == "missing_values":
                body[name] = _added(body.get(name, {}), value)
            else:
                body.setdefault(name, value)
    return body


def _added(marks: Mapping[str, list[Any]], more: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        column: list(dict.fromkeys([*marks.get(column, ()), *more.get(column, ())]))
        for column in dict.fromkeys([*marks, *more])
    }
