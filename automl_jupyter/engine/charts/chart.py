"""What a chart is: a drawing, its table, a sentence. Sentences and titles are put in when it is shown."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl_jupyter import messages
from automl_jupyter.engine.charts import theme as themes
from automl_jupyter.engine.charts import writing

MOST_POINTS = 5000
"""No chart sends more rows."""

Cell = str | int | float | bool | None
_MARK, _PARAMS = "\x01", "\x02"


def said(code: str, **params: str | float) -> str:
    """Stands for a sentence of the catalogue, and the values that it mentions, until a chart is shown."""
    return _MARK + code + (_PARAMS + json.dumps(params, sort_keys=True) if params else "")


def plain(text: object) -> str:
    """A name or a value from the data, which must not be taken for a sentence of ours."""
    return str(text).replace(_MARK, "").replace(writing.POINT, "")


@dataclass(frozen=True)
class Sheet:
    """The table of a chart, whose columns are called c0, c1, … in the drawing.

    Names from the data are titles alone: Vega compiles names of fields into code.

    Attributes
    ----------
    titles : tuple of str
        What people read.
    rows : list of list
        The cells; numbers that are not finite are None.
    """

    titles: tuple[str, ...]
    rows: list[list[Cell]]

    @classmethod
    def of(cls, titles: Sequence[str], *columns: Any) -> Sheet:
        """Make a table of columns."""
        return cls(tuple(titles), [[_cell(v) for v in row] for row in zip(*columns, strict=True)])

    def values(self) -> list[dict[str, Cell]]:
        """The rows as Vega takes them."""
        return [{f"c{j}": v for j, v in enumerate(row)} for row in self.rows]

    def data(self, name: str | None = None) -> Any:
        """The rows as Altair takes them; with a name, they can be found again in the drawing."""
        import altair as alt

        return alt.InlineData(values=self.values(), **({} if name is None else {"name": name}))

    def title(self, column: int) -> str:
        """What people read of a column."""
        return self.titles[column]


@dataclass(frozen=True)
class Chart:
    """A chart.

    Attributes
    ----------
    name : str
        Which: ``roc``, ``residuals``, …
    spec : mapping
        The drawing, as Vega-Lite 5, without colours.
    sheet : Sheet
        The same as a table.
    code, params : str, mapping
        The sentence that says what to see.
    about : str or None
        The column, class or group that it is about.
    """

    name: str
    spec: Mapping[str, Any]
    sheet: Sheet
    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    about: str | None = None

    def told(self, language: str = "en", theme: str = "light") -> dict[str, Any]:
        """The chart as it is shown.

        Parameters
        ----------
        language : str
            One of :data:`automl_jupyter.messages.LANGUAGES`.
        theme : str
            One of :data:`automl_jupyter.engine.charts.theme.THEMES`.

        Returns
        -------
        dict
            ``name``, ``about``, ``title``, ``sentence``, ``spec``, and ``table`` of ``columns`` and ``rows``.
        """
        sentence = messages.render(self.code, _told(self.params, language), language)
        config = {**themes.config(theme), **writing.config(language)}
        spec = {**_told(self.spec, language), "config": config, "description": sentence}
        return {
            "name": self.name,
            "about": self.about,
            "title": messages.render(f"charts.{self.name}", {}, language),
            "sentence": sentence,
            "spec": spec,
            "table": {
                "columns": _told(list(self.sheet.titles), language),
                "rows": _told(self.sheet.rows, language),
            },
        }

    def to_dict(self) -> dict[str, Any]:
        """Write the chart as plain data that JSON can carry."""
        return {
            "name": self.name,
            "about": self.about,
            "spec": dict(self.spec),
            "titles": list(self.sheet.titles),
            "rows": self.sheet.rows,
            "code": self.code,
            "params": dict(self.params),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Chart:
        """Rebuild what :meth:`to_dict` wrote, also after a passage through JSON."""
        sheet = Sheet(tuple(data["titles"]), data["rows"])
        return cls(data["name"], data["spec"], sheet, data["code"], data["params"], data["about"])


def _told(value: Any, language: str) -> Any:
    if isinstance(value, str):
        if value.startswith(_MARK):
            code, _, params = value[1:].partition(_PARAMS)
            value = messages.render(code, json.loads(params or "{}"), language)
        return writing.settled(value, language)
    if isinstance(value, Mapping):
        return {key: _told(item, language) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_told(item, language) for item in value]
    return value


def _cell(value: object) -> Cell:
    # The server tells charts and has no numpy: whatever is one of its scalars knows how to become plain.
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else plain(value)


def number(value: float) -> str:
    """A figure as sentences give it."""
    return writing.figure(f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def percent(share: float) -> int:
    """A share in percent."""
    return round(100 * share)
