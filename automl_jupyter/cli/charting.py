"""``jupyter automl charts``: what there is to see of a model, a row or a data set, also as files."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from automl_jupyter.cli.explaining import cell
from automl_jupyter.cli.tables import plain
from automl_jupyter.cli.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType

    from automl_jupyter.client import Client
    from automl_jupyter.schemas import Chart

DRAWS = "vl_convert"
"""The module that turns Vega-Lite into pictures, where it is installed."""

GROUNDS = {"light": "#ffffff", "dark": "#111418", "contrast": "#000000"}
"""A picture lies on no page that would give it a ground."""

PADDING, SCALE = 16, 2.0
LONGEST_NAME = 60


def options(command: argparse.ArgumentParser, text: Callable[[str], str]) -> None:
    """The options of ``charts``."""
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("model", nargs="?", metavar=text("meta.model"), help=text("explain.model"))
    what.add_argument("--dataset", metavar=text("meta.id"), help=text("drawing.dataset"))
    command.add_argument("--chart", metavar=text("meta.name"), help=text("drawing.chart"))
    command.add_argument(
        "--row", action="append", type=cell, metavar=text("meta.cell"), help=text("explain.row")
    )
    command.add_argument(
        "-o", "--output", type=Path, metavar=text("meta.folder"), help=text("drawing.output")
    )
    command.add_argument("--costs", type=costs, metavar=text("meta.costs"), help=text("drawing.costs"))
    command.add_argument("--theme", choices=tuple(GROUNDS), default="light", help=text("drawing.theme"))


def charts(client: Client, arguments: argparse.Namespace, terminal: Terminal) -> int:
    """List charts with what they say, or write them into a folder."""
    with terminal.err.status(terminal.text("cli.explain.running")):
        found = _asked(client, arguments)
    if terminal.json:
        terminal.document([chart.model_dump(mode="json") for chart in found])
    elif arguments.output is None:
        terminal.out.print(listed(found, terminal))
    if arguments.output is not None:
        _write(found, arguments.output, arguments.theme, terminal)
    return 0


def _asked(client: Client, arguments: argparse.Namespace) -> Sequence[Chart]:
    theme = arguments.theme
    if arguments.dataset is not None:
        return client.dataset_charts(arguments.dataset, arguments.chart, theme=theme)
    if arguments.row:
        row = {column: value or None for column, value in arguments.row}
        return client.draw_rows(arguments.model, [row], theme=theme)
    return client.charts(arguments.model, arguments.chart, theme=theme, costs=arguments.costs)


def costs(text: str) -> tuple[float, float]:
    """What a false positive and a false negative cost, as in ``1,5``, for argparse."""
    positive, _, negative = text.partition(",")
    found = float(positive), float(negative)
    if not all(0 < cost < float("inf") for cost in found):
        raise ValueError(text)
    return found


def listed(found: Sequence[Chart], terminal: Terminal) -> RenderableType:
    """Each chart with what it says."""
    table = plain()
    table.add_column(terminal.text("cli.charts.name"), no_wrap=True)
    table.add_column(terminal.text("cli.charts.sentence"), overflow="fold")
    for chart in found:
        name = Text(chart.name, style="bold")
        if chart.name == "histogram":
            name.append(f" {chart.about}", style="not bold dim")
        table.add_row(name, Text(chart.sentence))
    return table


def _write(found: Sequence[Chart], folder: Path, theme: str, terminal: Terminal) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = _drawing()
    for chart, stem in zip(found, _stems(found), strict=True):
        spec = grounded(chart.spec, theme)
        text = json.dumps(spec, ensure_ascii=False, indent=1)
        (folder / f"{stem}.vl.json").write_text(text + "\n", encoding="utf-8")
        if draw is not None:
            (folder / f"{stem}.png").write_bytes(draw(spec))
    terminal.note(terminal.text("cli.charts.written", n=len(found), path=str(folder)))
    if draw is None:
        terminal.note(terminal.text("cli.charts.no_pictures"), "dim")


def _stems(found: Sequence[Chart]) -> Iterator[str]:
    """A file name for each chart; what it is about is part of it, as far as file systems take that."""
    taken: dict[str, int] = {}
    for chart in found:
        about = "" if chart.about is None else f"-{chart.about}"
        stem = re.sub(r"[^\w.-]+", "_", f"{chart.name}{about}").strip("._")[:LONGEST_NAME]
        # Names that differ in their case alone are one file on some systems.
        again = taken[stem.lower()] = taken.get(stem.lower(), 0) + 1
        yield stem if again == 1 else f"{stem}-{again}"


def grounded(spec: Mapping[str, Any], theme: str) -> dict[str, Any]:
    """A drawing that brings its own ground, so that it can be read wherever it is put."""
    return {
        **spec,
        "padding": PADDING,
        "config": {**spec["config"], "background": GROUNDS[theme]},
    }


def _drawing() -> Callable[[Mapping[str, Any]], bytes] | None:
    if importlib.util.find_spec(DRAWS) is None:
        return None
    module = importlib.import_module(DRAWS)
    newest = max((v for v in module.get_vegalite_versions() if v.startswith("5.")), key=_numbers)

    def draw(spec: Mapping[str, Any]) -> bytes:
        picture: bytes = module.vegalite_to_png(spec, vl_version=newest, scale=SCALE)
        return picture

    return draw


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
