"""What may be typed after ``jupyter automl``."""

from __future__ import annotations

import argparse
import gettext
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from automl_jupyter import messages
from automl_jupyter.cli import charting, explaining, exporting, rereading
from automl_jupyter.cli.sentences import sentence

PROGRAM = "jupyter automl"
UNITS = {"s": 1, "m": 60, "h": 3600}


def parse(argv: Sequence[str] | None, language: str) -> argparse.Namespace:
    """Read the arguments; wrong usage ends the process with exit code 2, as argparse does."""
    with own_words():
        return _parser(language).parse_args(argv)


@contextmanager
def own_words() -> Iterator[None]:
    """Have argparse take its own words ("usage", "options" and so on) from our catalogue.

    It asks gettext's default domain for them, which belongs to the whole process.
    """
    before = gettext.textdomain()
    gettext.bindtextdomain("argparse", messages.LOCALE)
    gettext.textdomain("argparse")
    try:
        yield
    finally:
        gettext.textdomain(before)


def seconds(text: str) -> float:
    """A time such as ``90``, ``90s``, ``5m`` or ``1h``, in seconds.

    Raises
    ------
    ValueError
        If it is no time, or none at all.
    """
    unit = UNITS.get(text[-1:], 0)
    value = float(text[:-1]) * unit if unit else float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _existing(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(sentence("cli.no_file", path=text))
    return path


def _source(text: str) -> Path | str:
    path = Path(text)
    if path.is_file():
        return path
    if path.suffix or os.sep in text:
        raise argparse.ArgumentTypeError(sentence("cli.no_file", path=text))
    return text


def duration(text: str) -> float:
    """A time for argparse; see :func:`seconds`."""
    try:
        return seconds(text)
    except ValueError:
        raise argparse.ArgumentTypeError(sentence("cli.no_time", text=text)) from None


def _count(text: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(sentence("cli.no_count", text=text))
    return int(text)


def milliseconds(text: str) -> float:
    """A number of milliseconds above 0, for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(sentence("cli.no_milliseconds", text=text))
    return value


def _columns(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _mark(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not (column and sign and value):
        raise argparse.ArgumentTypeError(sentence("cli.no_mark", text=text))
    return column, value


def _version() -> str:
    # By name: the package itself knows how to reach the server, which the command line must not import.
    return str(import_module("automl_jupyter").__version__)


def train_options(train: argparse.ArgumentParser, text: Callable[[str], str]) -> None:
    """Add what can be asked of a training: as many options as a request has fields."""
    train.add_argument("--target", metavar=text("meta.column"), help=text("train.target"))
    train.add_argument("--time", type=duration, metavar=text("meta.seconds"), help=text("train.time"))
    train.add_argument("--metric", metavar=text("meta.metric"), help=text("train.metric"))
    train.add_argument(
        "--task", choices=("binary", "multiclass", "regression", "clustering"), help=text("train.task")
    )
    train.add_argument("--name", metavar=text("meta.name"), help=text("train.name"))
    train.add_argument("--columns", type=_columns, metavar=text("meta.columns"), help=text("train.columns"))
    train.add_argument("--exclude", action="append", metavar=text("meta.column"), help=text("train.exclude"))
    train.add_argument("--groups", metavar=text("meta.column"), help=text("train.groups"))
    train.add_argument("--time-column", metavar=text("meta.column"), help=text("train.time_column"))
    train.add_argument("--drop-duplicates", action="store_true", help=text("train.drop_duplicates"))
    train.add_argument(
        "--missing", type=_mark, action="append", metavar=text("meta.mark"), help=text("train.missing")
    )
    train.add_argument("--seed", type=int, default=0, metavar=text("meta.seed"), help=text("train.seed"))
    train.add_argument("--max-trials", type=_count, metavar=text("meta.seed"), help=text("train.max_trials"))
    train.add_argument(
        "--max-ms", type=milliseconds, metavar=text("meta.milliseconds"), help=text("train.max_ms")
    )
    train.add_argument("--detach", action="store_true", help=text("train.detach"))


def _parser(language: str) -> argparse.ArgumentParser:
    def text(code: str) -> str:
        return messages.render(f"cli.{code}", {}, language).replace("%", "%%")

    parser = argparse.ArgumentParser(PROGRAM, description=text("about"), epilog=text("exit_codes"))
    parser.add_argument(
        "--version", action="version", version=f"automl_jupyter {_version()}", help=text("version")
    )
    _shared(parser, text_url=text("url"), text_token=text("token"), text_json=text("json"), first=True)
    commands = parser.add_subparsers(dest="command", required=True, metavar=text("command"))

    def add(name: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text(f"{name}.help"), description=text(f"{name}.help"))
        _shared(command, text_url=text("url"), text_token=text("token"), text_json=text("json"), first=False)
        return command

    upload = add("upload")
    upload.add_argument("file", type=_existing, metavar=text("meta.file"), help=text("upload.file"))
    upload.add_argument("--name", metavar=text("meta.name"), help=text("upload.name"))

    train = add("train")
    train.add_argument(
        "source", type=_source, metavar=text("meta.file_or_dataset"), help=text("train.source")
    )
    train_options(train, text)

    findings = add("findings")
    findings.add_argument(
        "source", type=_source, metavar=text("meta.file_or_dataset"), help=text("train.source")
    )
    findings.add_argument("--target", metavar=text("meta.column"), help=text("target_of_findings"))

    predict = add("predict")
    predict.add_argument("model", metavar=text("meta.model"), help=text("predict.model"))
    predict.add_argument("file", type=_existing, metavar=text("meta.file"), help=text("predict.file"))
    predict.add_argument("-o", "--output", type=Path, metavar=text("meta.file"), help=text("predict.output"))
    predict.add_argument(
        "--max-ms", type=milliseconds, metavar=text("meta.milliseconds"), help=text("predict.max_ms")
    )

    models = add("models")
    models.add_argument("name", nargs="?", metavar=text("meta.name"), help=text("models.name"))
    change = models.add_mutually_exclusive_group()
    change.add_argument("--promote", type=int, metavar=text("meta.version"), help=text("models.promote"))
    change.add_argument("--rollback", action="store_true", help=text("models.rollback"))

    explaining.options(add("explain"), text)

    compare = add("compare")
    compare.add_argument("name", metavar=text("meta.name"), help=text("models.name"))
    compare.add_argument("first", type=_count, metavar=text("meta.version"), help=text("compare.first"))
    compare.add_argument("second", type=_count, metavar=text("meta.version"), help=text("compare.second"))

    charting.options(add("charts"), text)

    exporting.report_options(add("report"), text)

    exporting.options(add("export"), text)

    jobs = add("jobs")
    jobs.add_argument("id", nargs="?", metavar=text("meta.id"), help=text("jobs.id_help"))
    action = jobs.add_mutually_exclusive_group()
    action.add_argument("--watch", action="store_true", help=text("jobs.watch"))
    action.add_argument("--stop", action="store_true", help=text("jobs.stop"))
    action.add_argument("--cancel", action="store_true", help=text("jobs.cancel"))

    datasets = add("datasets")
    datasets.add_argument("id", nargs="?", metavar=text("meta.id"), help=text("datasets.id"))

    resume = add("resume")
    resume.add_argument("id", metavar=text("meta.id"), help=text("resume.id"))
    resume.add_argument("--time", type=duration, metavar=text("meta.seconds"), help=text("resume.time"))
    resume.add_argument("--detach", action="store_true", help=text("train.detach"))

    rereading.options(add("reread"), text, language)

    add("user")
    return parser


def _shared(
    parser: argparse.ArgumentParser, *, text_url: str, text_token: str, text_json: str, first: bool
) -> None:
    """Add what may stand before or after the command; the one after it must not undo the one before."""
    group = parser.add_argument_group("Jupyter")
    default = None if first else argparse.SUPPRESS
    group.add_argument("--url", default=default, help=text_url)
    group.add_argument("--token", default=default, help=text_token)
    group.add_argument(
        "--json", action="store_true", default=False if first else argparse.SUPPRESS, help=text_json
    )
