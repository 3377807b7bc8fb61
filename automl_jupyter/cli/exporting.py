"""``jupyter automl export`` and ``report``: a model as a file for use elsewhere, and its card."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from automl_jupyter import messages
from automl_jupyter.cli.terminal import Terminal

if TYPE_CHECKING:
    from automl_jupyter.client import Client


def options(command: argparse.ArgumentParser, text: Callable[[str], str]) -> None:
    """The options of ``export``."""
    command.add_argument("model", metavar=text("meta.model"), help=text("explain.model"))
    command.add_argument(
        "--format", default="notebook", metavar=text("meta.format"), help=text("export.format")
    )
    command.add_argument(
        "-o", "--output", type=Path, required=True, metavar=text("meta.file"), help=text("export.output")
    )


def report_options(command: argparse.ArgumentParser, text: Callable[[str], str]) -> None:
    """The options of ``report``."""
    command.add_argument("model", metavar=text("meta.model"), help=text("explain.model"))
    command.add_argument(
        "-o", "--output", type=Path, required=True, metavar=text("meta.file"), help=text("report.output")
    )
    command.add_argument("--language", choices=messages.LANGUAGES, help=text("report.language"))


def report(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Write the card of a model."""
    with terminal.err.status(terminal.text("cli.explain.running")):
        client.report(arguments.model, arguments.output, language=arguments.language)
    terminal.note(terminal.text("cli.export.written", path=str(arguments.output)))
    return 0


def export(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """Write a file."""
    with terminal.err.status(terminal.text("cli.explain.running")):
        client.export(arguments.model, arguments.format, arguments.output)
    terminal.note(terminal.text("cli.export.written", path=str(arguments.output)))
    return 0
