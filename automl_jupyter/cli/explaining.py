"""``jupyter automl explain`` and ``compare``: what a model has learnt, how an answer comes about."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from automl_jupyter.cli.sentences import sentence
from automl_jupyter.cli.tables import plain
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.wording import Wording

if TYPE_CHECKING:
    from rich.console import RenderableType

    from automl_jupyter.client import Client
    from automl_jupyter.schemas import (
        Comparison,
        Contribution,
        Counterexample,
        Explanation,
        RowExplanation,
        RowExplanations,
        WhatIf,
    )

BARS, SHOWN = 20, 12

NINE_OF_TEN = 1.645
"""So many standard errors hold the true figure nine times of ten."""


def options(command: argparse.ArgumentParser, text: Callable[[str], str]) -> None:
    """The options of ``explain``."""
    command.add_argument("model", metavar=text("meta.model"), help=text("explain.model"))
    command.add_argument(
        "--row", action="append", type=cell, metavar=text("meta.cell"), help=text("explain.row")
    )
    command.add_argument(
        "--what-if", action="append", metavar=text("meta.column"), help=text("explain.what_if")
    )


def cell(text: str) -> tuple[str, str]:
    """A column and its value, as in ``age=40``."""
    column, sign, value = text.partition("=")
    if not sign or not column:
        raise argparse.ArgumentTypeError(sentence("cli.no_mark", text=text))
    return column, value


def explain(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Explain a model, or one row by it."""
    if arguments.row:
        row = {column: value or None for column, value in arguments.row}
        what_if = dict.fromkeys(arguments.what_if or ())
        rows = client.explain_rows(arguments.model, [row], what_if=what_if)
        terminal.show(rows, *of_row(rows, rows.rows[0], terminal))
        return 0
    with terminal.err.status(terminal.text("cli.explain.running")):
        found = client.explain(arguments.model)
    terminal.show(found, *of_model(found, terminal))
    return 0


def compare(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Compare two versions."""
    with terminal.err.status(terminal.text("cli.explain.running")):
        found = client.compare(arguments.name, arguments.first, arguments.second)
    terminal.show(found, *of_versions(found, terminal))
    return 0


def of_model(found: Explanation, terminal: Terminal) -> Sequence[RenderableType]:
    """What a model has learnt, and where it is weak."""
    table = plain()
    table.add_column(terminal.text("cli.explain.columns"), overflow="fold")
    table.add_column(terminal.text("cli.explain.drop", metric=found.importance.metric), justify="right")
    table.add_column(terminal.text("cli.board.interval"), justify="right", style="dim")
    table.add_column("")
    most = max((group.drop or 0.0 for group in found.importance.groups), default=0.0)
    for group in found.importance.groups[:SHOWN]:
        low, high = (value if value is not None else 0.0 for value in group.interval)
        drop = group.drop or 0.0
        table.add_row(
            ", ".join(group.columns),
            terminal.number(drop),
            f"{terminal.number(low, 3)} … {terminal.number(high, 3)}",
            "█" * _length(drop, most),
            style="" if low > 0 else "dim",
        )
    weak = [Text(f"• {segment.message}") for segment in found.segments.items]
    notes = [Text(note.message, style="dim") for note in found.notes]
    return [table, *weak, *notes]


def of_row(found: RowExplanations, row: RowExplanation, terminal: Terminal) -> Sequence[RenderableType]:
    """How the answer to a row comes about."""
    head = Text(terminal.text("cli.explain.answer", value=terminal.value(row.value)), style="bold")
    at = max(range(len(row.said)), key=row.said.__getitem__) if len(row.said) > 1 else 0
    table = plain()
    for code in ("column", "cell", "adds"):
        table.add_column(terminal.text(f"cli.explain.{code}"), justify="right" if code == "adds" else "left")
    table.add_column("")
    most = max((abs(c.adds[at]) for c in row.contributions), default=0.0)
    table.add_row(terminal.text("cli.explain.base"), "", terminal.number(row.base[at]), "", style="dim")
    for one in row.contributions[:SHOWN]:
        style = "green" if one.adds[at] > 0 else "red"
        bar = Text("█" * _length(abs(one.adds[at]), most), style=style)
        table.add_row(one.column, terminal.value(one.cell), adds(one, at, terminal), bar)
    if len(row.contributions) > SHOWN:
        rest = sum(one.adds[at] for one in row.contributions[SHOWN:])
        table.add_row(terminal.text("charts.other_columns"), "", terminal.number(rest), "", style="dim")
    table.add_row(terminal.text("cli.explain.sum"), "", terminal.number(row.said[at]), "", style="bold")
    return [
        head,
        table,
        Text(terminal.text(f"app.why.{certainty(row, at)}"), style="dim"),
        *(_otherwise(example, terminal) for example in row.counterexamples),
        *(_then(asked, terminal) for asked in row.what_if),
        *(Text(note.message, style="dim") for note in found.notes),
    ]


def adds(one: Contribution, at: int, wording: Wording) -> str:
    """What a column adds to an output, and within how much of it the true figure is, nine times of ten."""
    number, error = wording.number(one.adds[at]), one.errors[at]
    return f"{number} ± {wording.number(NINE_OF_TEN * error, 2)}" if error else number


def certainty(row: RowExplanation, at: int) -> str:
    """Whether the figures of a row for an output are ``exact`` or ``sampled``."""
    return "sampled" if any(one.errors[at] for one in row.contributions) else "exact"


def _otherwise(example: Counterexample, terminal: Terminal) -> RenderableType:
    return Text(f"• {otherwise(example, terminal)}")


def otherwise(example: Counterexample, wording: Wording) -> str:
    """A row that was predicted otherwise, in a sentence."""
    cells = [f"{name}={wording.value(example.cells[name])}" for name in example.differences[:4]]
    return wording.text(
        "cli.explain.otherwise",
        value=wording.value(example.predicted),
        row=example.row + 1,
        differences=", ".join(cells),
    )


def _then(asked: WhatIf, terminal: Terminal) -> RenderableType:
    table = plain()
    table.add_column(asked.column)
    table.add_column(terminal.text("cli.explain.then"))
    for value, answer in zip(asked.values, asked.answers, strict=True):
        share = (answer.probabilities or {}).get(str(answer.value))
        said = terminal.value(answer.value)
        told = said if share is None else f"{said} ({terminal.number(share, 2)})"
        table.add_row(terminal.value(value), told)
    return table


def of_versions(found: Comparison, terminal: Terminal) -> Sequence[RenderableType]:
    """Which of two versions is better."""
    table = plain()
    table.add_column(terminal.text("cli.explain.version"), justify="right")
    table.add_column(found.metric, justify="right")
    table.add_column(terminal.text("cli.board.interval"), justify="right", style="dim")
    for version, score, (low, high) in zip(found.versions, found.scores, found.intervals, strict=True):
        table.add_row(
            str(version),
            terminal.number(score or 0.0),
            f"{terminal.number(low or 0.0, 3)} … {terminal.number(high or 0.0, 3)}",
        )
    return [table, Text(found.message)]


def _length(value: float, most: float) -> int:
    return max(0, round(BARS * value / most)) if most > 0 else 0
