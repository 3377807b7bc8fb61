"""What may be typed after ``%automl``: one parser for each sub-command."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NoReturn

from IPython.core.magic_arguments import MagicArgumentParser

from automl_jupyter import messages
from automl_jupyter.cli import charting, explaining, rereading
from automl_jupyter.cli.parser import duration, milliseconds, own_words, train_options

MAGIC = "%automl"

FORMATS: Mapping[str, str] = MappingProxyType(
    {"notebook": "zip", "python": "zip", "onnx": "onnx", "mlflow": "zip"}
)
"""What a model can be exported as, and how the names of such files end."""

REPORT = "report"
"""The model card, for people instead of programs."""

Text = Callable[[str], str]


class Refused(Exception):
    """What a magic cannot do, in one sentence; IPython shows it without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Parser(MagicArgumentParser):
    """The parser of one sub-command."""

    def error(self, message: str) -> NoReturn:
        """Refuse what was typed, and say what may be."""
        raise Refused(f"{message}\n{self.format_usage().strip()}")


@dataclass(frozen=True)
class Command:
    """A sub-command.

    Attributes
    ----------
    add : callable
        Adds its arguments to a parser.
    cell : bool
        Whether it takes a cell.
    """

    add: Callable[[argparse.ArgumentParser, Text], None]
    cell: bool = False


def split(line: str) -> list[str]:
    """The words of a line: quotes keep blanks together, a backslash is an ordinary character.

    Raises
    ------
    Refused
        If a quote is not closed.
    """
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
    try:
        return list(lexer)
    except ValueError:
        raise Refused(messages.render("notebook.open_quote", {"line": line.strip()}, _language())) from None


@cache
def parser(name: str, language: str) -> Parser:
    """The parser of a sub-command, with its help in a language."""

    def text(code: str) -> str:
        # What argparse would take for its own placeholders.
        code = code if code.startswith("notebook.") else f"cli.{code}"
        return messages.render(code, {}, language).replace("%", "%%")

    with own_words():
        made = Parser(  # type: ignore[no-untyped-call]
            f"{MAGIC} {name}",
            description=messages.render(f"notebook.help.{name}", {}, language),
            formatter_class=argparse.HelpFormatter,
        )
        COMMANDS[name].add(made, text)
    return made


def help_of(name: str, language: str) -> str:
    """All that may be typed after a sub-command."""
    with own_words():
        return parser(name, language).format_help().rstrip()


def overview(language: str) -> str:
    """The sub-commands, each with a sentence."""
    width = max(len(name) for name in COMMANDS)
    lines = [
        f"  {MAGIC} {name:<{width}}  {messages.render(f'notebook.help.{name}', {}, language)}"
        for name in COMMANDS
    ]
    return "\n".join(
        [
            messages.render("notebook.help.about", {}, language),
            "",
            *lines,
            "",
            messages.render("notebook.help.more", {}, language),
        ]
    )


def _language() -> str:
    from automl_jupyter.client.discovery import language_of

    return messages.negotiate(language_of())


def _upload(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("source", metavar=text("notebook.meta.table"), help=text("notebook.argument.table"))
    it.add_argument("--name", metavar=text("meta.name"), help=text("upload.name"))


def _datasets(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument(
        "dataset", nargs="?", metavar=text("notebook.meta.dataset"), help=text("notebook.argument.dataset")
    )


def _reread(it: argparse.ArgumentParser, text: Text) -> None:
    rereading.options(it, text, _language())


def _findings(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("source", metavar=text("notebook.meta.source"), help=text("notebook.argument.source"))
    it.add_argument("--target", metavar=text("meta.column"), help=text("target_of_findings"))


def _train(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("source", metavar=text("notebook.meta.source"), help=text("notebook.argument.source"))
    train_options(it, text)


def _watch(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("job", nargs="?", metavar=text("notebook.meta.job"), help=text("notebook.argument.job"))


def _predict(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("notebook.argument.model"))
    it.add_argument(
        "source", nargs="?", metavar=text("notebook.meta.table"), help=text("notebook.argument.rows")
    )
    it.add_argument("-o", "--output", metavar=text("meta.file"), help=text("notebook.argument.output"))
    it.add_argument(
        "--max-ms", type=milliseconds, metavar=text("meta.milliseconds"), help=text("predict.max_ms")
    )


def _explain(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("notebook.argument.model"))
    it.add_argument(
        "source", nargs="?", metavar=text("notebook.meta.table"), help=text("notebook.argument.explained")
    )
    it.add_argument(
        "--row", action="append", type=explaining.cell, metavar=text("meta.cell"), help=text("explain.row")
    )
    it.add_argument("--what-if", action="append", metavar=text("meta.column"), help=text("explain.what_if"))


def _charts(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("notebook.argument.model"))
    it.add_argument("--chart", metavar=text("meta.name"), help=text("notebook.argument.chart"))
    it.add_argument("--costs", type=charting.costs, metavar=text("meta.costs"), help=text("drawing.costs"))
    it.add_argument("--theme", choices=tuple(charting.GROUNDS), default="light", help=text("drawing.theme"))


def _compare(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("models.name"))
    for name in ("first", "second"):
        it.add_argument(name, type=int, metavar=text("meta.version"), help=text(f"compare.{name}"))


def _export(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("notebook.argument.model"))
    it.add_argument(
        "--format", choices=(*FORMATS, REPORT), default="notebook", help=text("notebook.argument.format")
    )
    it.add_argument("-o", "--output", metavar=text("meta.file"), help=text("notebook.argument.exported"))


def _models(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", nargs="?", metavar=text("meta.model"), help=text("models.name"))


def _promote(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("models.name"))
    it.add_argument("version", type=int, metavar=text("meta.version"), help=text("models.promote"))


def _rollback(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("model", metavar=text("meta.model"), help=text("models.name"))


def _jobs(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument("job", nargs="?", metavar=text("notebook.meta.job"), help=text("jobs.id_help"))
    action = it.add_mutually_exclusive_group()
    action.add_argument("--stop", action="store_true", help=text("jobs.stop"))
    action.add_argument("--cancel", action="store_true", help=text("jobs.cancel"))
    action.add_argument("--resume", action="store_true", help=text("resume.help"))
    it.add_argument("--time", type=duration, metavar=text("meta.seconds"), help=text("resume.time"))


def _panel(it: argparse.ArgumentParser, text: Text) -> None:
    it.add_argument(
        "source", nargs="?", metavar=text("notebook.meta.source"), help=text("notebook.argument.panel")
    )


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "upload": Command(_upload),
        "datasets": Command(_datasets),
        "reread": Command(_reread),
        "findings": Command(_findings),
        "train": Command(_train),
        "watch": Command(_watch),
        "leaderboard": Command(_watch),
        "predict": Command(_predict, cell=True),
        "explain": Command(_explain, cell=True),
        "charts": Command(_charts),
        "compare": Command(_compare),
        "export": Command(_export),
        "models": Command(_models),
        "promote": Command(_promote),
        "rollback": Command(_rollback),
        "jobs": Command(_jobs),
        "panel": Command(_panel),
    }
)
"""The sub-commands by name, in the order in which they are used."""
