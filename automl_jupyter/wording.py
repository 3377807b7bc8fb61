"""How sentences and numbers are written in a language, wherever they are shown."""

from __future__ import annotations

from automl_jupyter import messages

WIDEST = 1e15
"""From here on numbers are written with an exponent."""


class Wording:
    """Sentences and numbers in one language.

    Attributes
    ----------
    language : str
        One of :data:`automl_jupyter.messages.LANGUAGES`.
    """

    language: str

    def text(self, code: str, **params: object) -> str:
        """A sentence, by its code."""
        return messages.render(code, params, self.language)

    def number(self, value: float, digits: int = 4) -> str:
        """A number with `digits` decimals, as written in the language."""
        return _signed(value, f".{digits}f", self.language)

    def value(self, value: object) -> str:
        """A value of a table as people write it; empty where there is none."""
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, float):
            return str(value)
        whole = value.is_integer() or 1e5 <= abs(value) < WIDEST
        return _signed(value, ".0f" if whole and abs(value) < WIDEST else ".5g", self.language)

    def whole(self, value: int) -> str:
        """A whole number in groups of three digits."""
        return messages.written(value, ",", self.language)

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


def _signed(value: float, spec: str, language: str) -> str:
    return messages.written(value, spec, language).replace("-", "\N{MINUS SIGN}")


def clock(seconds: float) -> str:
    """A time as ``m:ss`` or ``h:mm:ss``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
