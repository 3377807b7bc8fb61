"""What is shown of explanations as HTML: tables with bars, and sentences."""

from __future__ import annotations

from automl_jupyter.cli.explaining import adds, certainty, otherwise
from automl_jupyter.notebook import boards
from automl_jupyter.notebook.markup import Html, el, join, table
from automl_jupyter.schemas import Comparison, Explanation, Notice, RowExplanation, RowExplanations, WhatIf
from automl_jupyter.wording import Wording

SHOWN = 20
"""Columns that are shown, the most important first."""


def model(found: Explanation, wording: Wording) -> Html:
    """What a model has learnt, and where it is weak."""
    name = f"{found.model}:{found.version}"
    groups = found.importance.groups[:SHOWN]
    most = max((group.drop or 0.0 for group in groups), default=0.0)
    heads = [
        (wording.text("cli.explain.columns"), ""),
        (wording.text("cli.explain.drop", metric=found.importance.metric), "num"),
        (wording.text("cli.board.interval"), "num quiet"),
        ("", ""),
    ]
    rows = (
        (
            # What cannot be told from useless steps back.
            "" if (group.interval[0] or 0.0) > 0 else "baseline",
            (
                ", ".join(group.columns),
                wording.number(group.drop or 0.0),
                boards.interval(group.interval, wording),
                _bar(group.drop or 0.0, most),
            ),
        )
        for group in groups
    )
    weak = [el("li", segment.message) for segment in found.segments.items]
    return join(
        [
            el("p", el("b", name)),
            table(wording.text("notebook.caption.importance", name=name), heads, rows),
            el("ul", *weak) if weak else Html(),
            _notes(found.notes),
        ]
    )


def rows(found: RowExplanations, wording: Wording) -> Html:
    """How the answers to some rows come about."""
    title = el("p", el("b", f"{found.model}:{found.version}"))
    many = len(found.rows) > 1
    told = (_row(row, wording, number if many else None) for number, row in enumerate(found.rows, start=1))
    return join([title, *told, _notes(found.notes)])


def versions(found: Comparison, wording: Wording) -> Html:
    """Which of two versions is better."""
    heads = [
        (wording.text("cli.explain.version"), "num"),
        (found.metric, "num"),
        (wording.text("cli.board.interval"), "num quiet"),
    ]
    cells = (
        ("", (str(version), wording.number(score or 0.0), boards.interval(interval, wording)))
        for version, score, interval in zip(found.versions, found.scores, found.intervals, strict=True)
    )
    caption = wording.text("notebook.caption.comparison", name=found.model)
    return join([el("p", el("b", found.message)), table(caption, heads, cells)])


def _row(row: RowExplanation, wording: Wording, number: int | None) -> Html:
    at = max(range(len(row.said)), key=row.said.__getitem__) if len(row.said) > 1 else 0
    most = max((abs(one.adds[at]) for one in row.contributions), default=0.0)
    answer = wording.text("cli.explain.answer", value=wording.value(row.value))
    share = (row.probabilities or {}).get(str(row.value))
    likely = "" if share is None else f" ({wording.number(100 * share, 0)}\N{NO-BREAK SPACE}%)"
    before = "" if number is None else f"{number} · "
    heads = [(wording.text(f"cli.explain.{code}"), "") for code in ("column", "cell")]
    heads += [(wording.text("cli.explain.adds"), "num"), ("", "")]
    ends = {"base": row.base[at], "sum": row.said[at]}
    first, last = (
        (style, (wording.text(f"cli.explain.{code}"), "", wording.number(ends[code]), ""))
        for code, style in (("base", "baseline"), ("sum", "best"))
    )
    cells: list[tuple[str, tuple[str, ...]]] = [
        (
            "",
            (
                one.column,
                wording.value(one.cell),
                adds(one, at, wording),
                _bar(one.adds[at], most),
            ),
        )
        for one in row.contributions[:SHOWN]
    ]
    rest = sum(one.adds[at] for one in row.contributions[SHOWN:])
    if len(row.contributions) > SHOWN:
        cells.append(("baseline", (wording.text("charts.other_columns"), "", wording.number(rest), "")))
    like = [el("li", otherwise(example, wording)) for example in row.counterexamples]
    return join(
        [
            el("p", before, el("b", answer), likely),
            table(wording.text("notebook.caption.contributions"), heads, [first, *cells, last]),
            el("p", wording.text(f"app.why.{certainty(row, at)}"), class_="quiet"),
            el("ul", *like) if like else Html(),
            *(_then(asked, wording) for asked in row.what_if),
        ]
    )


def _then(asked: WhatIf, wording: Wording) -> Html:
    heads = [(asked.column, ""), (wording.text("cli.explain.then"), "")]
    told = []
    for value, answer in zip(asked.values, asked.answers, strict=True):
        said = wording.value(answer.value)
        share = (answer.probabilities or {}).get(str(answer.value))
        told.append(
            ("", (wording.value(value), said if share is None else f"{said} ({wording.number(share, 2)})"))
        )
    return table(wording.text("notebook.caption.what_if", column=asked.column), heads, told)


def _notes(notes: list[Notice]) -> Html:
    return join([el("p", note.message, class_="quiet") for note in notes])


def _bar(value: float, most: float) -> Html:
    """A bar as long as a figure that stands beside it, and so nothing to read out."""
    share = 0.0 if most <= 0 else min(abs(value) / most, 1.0)
    kind = "less" if value < 0 else "more"
    style = f"inline-size: {100 * share:.0f}%"
    return el("span", el("span", class_=kind, style=style), class_="length", aria_hidden="true")
