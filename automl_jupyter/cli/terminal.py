"""Where the command line speaks: results on the standard output, everything else on the standard error."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.text import Text

from automl_jupyter import messages

if TYPE_CHECKING:
    from pydantic import BaseModel


@dataclass(frozen=True)
class Terminal:
    """The two streams of a process, and how to speak on them.

    Attributes
    ----------
    out, err : rich.console.Console
        For results, and for everything else.
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    json : bool
        Whether the standard output takes one JSON document and nothing else.
    """

    out: Console
    err: Console
    language: str
    json: bool = False

    @classmethod
    def of_process(cls, language: str, *, json: bool = False) -> Terminal:
        """The streams of this process."""
        return cls(_console(stderr=False), _console(stderr=True), language, json)

    def text(self, code: str, **params: object) -> str:
        """A sentence, by its code."""
        return messages.render(code, params, self.language)

    def show(self, answer: BaseModel, *parts: RenderableType) -> None:
        """Print a result: `answer` as JSON where that is wanted, else `parts`."""
        if self.json:
            sys.stdout.write(answer.model_dump_json(indent=2) + "\n")
            return
        for part in parts:
            self.out.print(part)

    def note(self, sentence: str, style: str = "") -> None:
        """Say something that is not a result."""
        self.err.print(Text(sentence, style=style), soft_wrap=not self.err.is_terminal)

    def complain(self, sentence: str) -> None:
        """Say what went wrong."""
        self.err.print(Text(sentence, style="red"), soft_wrap=not self.err.is_terminal)

    def number(self, value: float, digits: int = 4) -> str:
        """A number with `digits` decimals, as written in the language."""
        return self.decimal(f"{value:.{digits}f}")

    def decimal(self, text: str) -> str:
        """A number that is text already, with the language's decimal sign and a true minus."""
        text = text.replace("-", "\N{MINUS SIGN}")
        return text.replace(".", ",") if self.language == "fr" else text

    def whole(self, value: int) -> str:
        """A whole number in groups of three digits."""
        return (
            f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if self.language == "fr" else f"{value:,}"
        )

    def size(self, size: int) -> str:
        """A number of bytes, in decimal units."""
        units = ("o", "ko", "Mo", "Go") if self.language == "fr" else ("bytes", "kB", "MB", "GB")
        scale = 0
        value = float(size)
        while value >= 1000 and scale < len(units) - 1:
            value, scale = value / 1000, scale + 1
        return f"{self.number(value, 1 if scale else 0)}\N{NO-BREAK SPACE}{units[scale]}"

    def seconds(self, value: float | None) -> str:
        """A short time, in the unit that suits it."""
        if value is None:
            return ""
        if value < 1:
            return f"{self.number(value * 1000, 1 if 0.00005 < value < 0.01 else 0)}\N{NO-BREAK SPACE}ms"
        return f"{self.number(value, 1)}\N{NO-BREAK SPACE}s"


def clock(seconds: float) -> str:
    """A time as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _console(*, stderr: bool) -> Console:
    # A file or a pipe has no width to wrap at: a line that is cut in two cannot be searched or parsed.
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else 160
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, width=width)
