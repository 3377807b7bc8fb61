"""What may be decided about a reading on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from automl_jupyter import messages

if TYPE_CHECKING:
    from automl_jupyter.client.rereading import Decisions

_GUESS = "auto"
_NOTHING = "none"
_SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
_SPACES = {"space": " "}
_TYPES = ("integer", "number", "boolean", "datetime", "string")
_ORDERS = {"day": True, "month": False}


def options(command: argparse.ArgumentParser, text: Callable[[str], str], language: str) -> None:
    """Add the options of ``reread``; each takes ``auto`` for leaving it to be found out again."""
    command.add_argument("dataset", metavar=text("meta.id"), help=text("reread.dataset"))
    plain: tuple[tuple[str, str, Callable[[str], object]], ...] = (
        ("encoding", "meta.name", str),
        ("delimiter", "meta.character", lambda given: _SEPARATORS.get(given, given)),
        ("quote", "meta.character", _character),
        ("escape", "meta.character", _character),
        ("comment", "meta.character", _character),
        ("decimal", "meta.character", str),
        ("thousands", "meta.character", lambda given: _SPACES.get(given, _character(given))),
        ("skip", "meta.lines", int),
        ("footer", "meta.lines", int),
        ("header", "meta.line", _header),
        ("header-rows", "meta.lines", int),
        ("missing", "meta.words", _words),
    )
    for name, metavar, kind in plain:
        command.add_argument(
            f"--{name}",
            type=_told(_or_guess(kind), language),
            metavar=text(metavar),
            help=text(f"reread.{name}"),
            default=...,
        )
    command.add_argument(
        "--first",
        type=_told(_or_guess(_order), language),
        metavar="day|month",
        help=text("reread.first"),
        default=...,
    )
    command.add_argument("--keep-rows", action=argparse.BooleanOptionalAction, help=text("reread.keep-rows"))
    command.add_argument("--spaced", action=argparse.BooleanOptionalAction, help=text("reread.spaced"))
    for name, kind, metavar in (
        ("type", _type, "meta.column_type"),
        ("column-decimal", str, "meta.column_character"),
        ("column-first", _order, "meta.column_order"),
        ("column-missing", _words, "meta.column_words"),
    ):
        command.add_argument(
            f"--{name}",
            action="append",
            default=[],
            type=_told(_of_column(_or_guess(kind)), language),
            metavar=text(metavar),
            help=text(f"reread.{name}"),
        )


def decisions(arguments: argparse.Namespace) -> Decisions:
    """What the arguments decide, as the client takes it."""
    given: dict[str, Any] = {
        "encoding": arguments.encoding,
        "separator": arguments.delimiter,
        "quote": arguments.quote,
        "escape": arguments.escape,
        "comment": arguments.comment,
        "decimal": arguments.decimal,
        "thousands": arguments.thousands,
        "skip": arguments.skip,
        "footer": arguments.footer,
        "header": arguments.header,
        "header_rows": arguments.header_rows,
        "missing_values": arguments.missing,
        "day_first": arguments.first,
        "keep_rows": ... if arguments.keep_rows is None else arguments.keep_rows,
        "spaced": ... if arguments.spaced is None else arguments.spaced,
        "column_types": dict(arguments.type) or ...,
        "columns": _columns(arguments) or ...,
    }
    return cast("Decisions", {name: value for name, value in given.items() if value is not ...})


def _columns(arguments: argparse.Namespace) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for option, pairs in (
        ("decimal", arguments.column_decimal),
        ("day_first", arguments.column_first),
        ("missing_values", arguments.column_missing),
    ):
        for name, value in pairs:
            found.setdefault(name, {})[option] = value
    return found


def _told(kind: Callable[[str], object], language: str) -> Callable[[str], object]:
    """Say in the reader's language that a value cannot be used."""

    def value(given: str) -> object:
        try:
            return kind(given)
        except ValueError:
            sentence = messages.render("cli.reread.bad_value", {"value": given}, language)
            raise argparse.ArgumentTypeError(sentence) from None

    return value


def _or_guess(kind: Callable[[str], object]) -> Callable[[str], object]:
    def value(given: str) -> object:
        return None if given == _GUESS else kind(given)

    return value


def _of_column(kind: Callable[[str], object]) -> Callable[[str], tuple[str, object]]:
    def pair(given: str) -> tuple[str, object]:
        name, equals, value = given.rpartition("=")
        if not equals or not name:
            raise ValueError(given)
        return name, kind(value)

    return pair


def _character(given: str) -> str:
    return "" if given == _NOTHING else given


def _words(given: str) -> list[str]:
    return [] if given == _NOTHING else given.split(",")


def _header(given: str) -> int:
    """Lines are counted from 1 by people, and from 0 by programs."""
    line = -1 if given == _NOTHING else int(given) - 1
    if line < -1 or given == "0":
        raise ValueError(given)
    return line


def _order(given: str) -> bool:
    if given not in _ORDERS:
        raise ValueError(given)
    return _ORDERS[given]


def _type(given: str) -> str:
    if given not in _TYPES:
        raise ValueError(given)
    return given
