"""How the application behaves in a browser where there is much: data sets, columns, trials."""

from __future__ import annotations

import argparse
import gzip
import re
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playwright.sync_api import Browser, Page

import automl_jupyter
from automl_jupyter.backends.database import Database, new_id, open_database
from automl_jupyter.backends.records import DONE, JobRecord, TrialRecord
from automl_jupyter.server import application
from automl_jupyter.server.identity import LOCAL_OWNER
from automl_jupyter.services.settings import local_settings
from benchmarks.browsing import Felt, act, browsing, chromium, probed, settled
from benchmarks.common import Report, Target, median, parser, percentile
from benchmarks.listing import fill
from benchmarks.samples import write_rows, write_wide
from benchmarks.servers import OURS, USER, Connection, Server, begin, finish, running, upload

FIRST_MS, TRIAL_MS, ANSWER_MS, PAINT_MS = 500.0, 1000.0, 150.0, 200.0
NODES, SCRIPTS_KB = 2000, 150.0
UNMADE = 0.3
"""Share of the trials that came to nothing, as most do where the time is short."""
WIDE_ROWS, LEARNED_ROWS = 200, 5_000
PACKAGE = Path(automl_jupyter.__file__).parent
LAB = "jupyterlab"
ELSEWHERE = re.compile("/lab/api/(news|update)")


# --- what there is much of


def trial(job_id: str, number: int, total: int) -> TrialRecord:
    """A line of a long leaderboard: the baseline, models, at the end those for which there was no time."""
    made = number <= total * (1 - UNMADE)
    score = 0.5 if number == 1 else 0.9 - number / total / 5
    return TrialRecord(
        job_id=job_id,
        number=number,
        name="most_frequent" if number == 1 else f"lightgbm_{number}",
        family="baseline" if number == 1 else "lightgbm",
        score=score if made else None,
        low=score - 0.02 if made else None,
        high=score + 0.02 if made else None,
        tied_with_best=made and 1 < number < total / 10,
        baseline=number == 1,
        fit_seconds=number / 10,
        predict_seconds=0.01,
        state="done" if made else "skipped",
        reason=None if made else {"code": "engine.trial_out_of_time", "params": {"detail": None}},
    )


def long_job(database: Database, dataset: str, trials: int) -> str:
    """Add a job that ended with so many trials; returns its id."""
    ended = datetime.now(UTC)
    job = JobRecord(
        id=new_id(),
        owner=LOCAL_OWNER,
        dataset_id=dataset,
        target="bought",
        task="binary",
        metric="roc_auc",
        name="long",
        state=DONE,
        created=ended - timedelta(hours=1),
        started=ended - timedelta(hours=1),
        ended=ended,
        time_budget=3600,
        planned_budget=3600,
        seed=0,
        server_id="benchmark",
        progress=1.0,
    )
    database.add_job(job)
    database.replace_trials(job.id, [trial(job.id, number, trials) for number in range(1, trials + 1)])
    return job.id


@dataclass(frozen=True)
class Seen:
    """What a server has: a table to learn from, a very wide one, a job with a long leaderboard."""

    connection: Connection
    database: Database
    table: str
    wide: str
    job: str


def filled(connection: Connection, database: Database, settings: argparse.Namespace) -> Seen:
    """Give a server much of everything; what was made last stands on the first page of its list."""
    fill(database, settings.datasets)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        table = upload(connection, write_rows(folder / "people.csv", LEARNED_ROWS))["id"]
        wide = upload(connection, write_wide(folder / "wide.csv", settings.columns, WIDE_ROWS))["id"]
    return Seen(connection, database, table, wide, long_job(database, table, settings.trials))


# --- in the browser


@dataclass(frozen=True)
class Site:
    """The application's page on a server, in a browser."""

    page: Page
    server: Server

    @property
    def home(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.address.port}/automl/"

    def enter(self) -> None:
        """Log in, as one does once a day."""
        self.page.goto(f"{self.home}?token={self.server.address.token}")
        settled(self.page)

    def open(self, route: str = "") -> None:
        """Load the page anew on one of its screens."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.home}#/{route}")
        settled(self.page)

    def first_screen(self) -> float:
        """Milliseconds from the address to all three lists."""
        self.open()
        return float(self.page.evaluate("bench.first()"))

    def press(self, key: str) -> Callable[[], object]:
        """What presses a key where the focus is."""
        return lambda: self.page.keyboard.press(key)

    def click(self, name: str, within: str = ".am-app") -> Callable[[], object]:
        """What clicks a button."""
        return self.page.locator(within).get_by_role("button", name=name, exact=True).click


def first_screens(site: Site, n: int) -> dict[str, list[float]]:
    """The first screen with and without what the browser keeps, in turn."""
    network = site.page.context.new_cdp_session(site.page)
    found: dict[str, list[float]] = {"for the first time": [], "again": []}
    for _ in range(n):
        network.send("Network.clearBrowserCache")
        found["for the first time"].append(site.first_screen())
        found["again"].append(site.first_screen())
    return found


def answers(site: Site, model: str, n: int) -> list[Felt]:
    """Change a figure of the row so many times; each answer differs from the one before."""
    site.open(f"predict/{model}")
    field = site.page.get_by_label("distance", exact=True)
    field.fill("9")
    field.press("End")
    site.page.locator(".am-value").wait_for()
    within = ".am-answer > :first-child"
    found = []
    for number in range(n + 2):
        field.press("Control+A")
        asked = site.press(str(number % 2 * 8 + 1))
        found.append(act(site.page, asked, within))
    return found[2:]


def shown_trials(site: Site, seen: Seen, budget: float) -> tuple[list[float], str]:
    """Look on while a model is searched for; milliseconds from each trial's event to its line, and the model.

    Raises
    ------
    RuntimeError
        If no model came of it.
    """
    site.open()
    job = begin(seen.connection, seen.table, "bought", budget)
    site.page.evaluate("id => { location.hash = `#/job/${id}` }", job["id"])
    job = finish(seen.connection, job)
    if job["model"] is None:
        raise RuntimeError(f"the training ended without a model: {job['error']}")
    site.page.locator("a.am-primary").wait_for()
    lines = site.page.evaluate("bench.listed()")
    events = [event for event in seen.database.events(job["id"]) if event.kind == "trial"]
    late = [
        lines[event.data["name"]] - event.at.timestamp() * 1000
        for event in events
        if event.data["score"] is not None
    ]
    return late, job["model"]["name"]


def with_many_datasets(site: Site, n: int) -> dict[str, list[Felt]]:
    """Leaf through the list on the first screen."""
    site.open()
    within = ".am-lists > :last-child"
    older, newer = site.click("Older", within), site.click("Newer", within)
    there = [act(site.page, older, within) for _ in range(n)]
    back = [act(site.page, newer, within) for _ in range(n)]
    return {"home: older data sets": there, "home: newer data sets": back}


def with_many_columns(site: Site, dataset: str, n: int) -> dict[str, list[Felt]]:
    """Look at a very wide table, and choose what to learn of it."""
    page = site.page
    site.open()
    entered = [act(page, page.locator(f"a[href$='data/{dataset}']").click)]
    page.locator(".am-spread").first.wait_for()
    train = page.get_by_role("link", name="Train a model")
    at_once = [act(page, train.click)]
    page.go_back()
    page.locator(".am-spread").first.wait_for()
    leafed = [act(page, site.click("Next")) for _ in range(n)]
    page.locator("td select").first.focus()
    retyped = [act(page, site.press("ArrowUp" if k % 2 else "ArrowDown")) for k in range(n)]
    train_screen = [act(page, train.click)]
    target = page.get_by_label("Column to predict", exact=True)
    target.focus()
    page.keyboard.press("Control+A")
    typed = [act(page, site.press(letter)) for letter in "word49"]
    return {
        "data: open it": entered,
        "train: open it at once": at_once,
        "data: next columns": leafed,
        "data: another type": retyped,
        "train: open it": train_screen,
        "train: type the target": typed,
    }


def with_many_trials(site: Site, job: str, n: int) -> dict[str, list[Felt]]:
    """Leaf through a long leaderboard, unfold what came to nothing, scroll."""
    page = site.page
    site.open()
    entered = [act(page, page.locator(f"a[href$='job/{job}']").click)]
    leafed = []
    for k in range(n):
        leafed.append(act(page, site.click("Previous" if k % 2 else "Next")))
    unfolded = [act(page, page.locator("details.am-soft summary").click) for _ in range(n)]
    return {"job: open it": entered, "job: next trials": leafed, "job: unfold": unfolded}


# --- what is loaded


def packed(path: Path) -> float:
    """The size of a file as it is sent, in kB."""
    return len(gzip.compress(path.read_bytes(), 9)) / 1000


def scripts_of_lab(browser: Browser) -> tuple[list[Path], list[Path]]:
    """The labextension's scripts that JupyterLab loads before the application is opened, and all of them."""
    static = PACKAGE / "labextension" / "static"
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        place = Path(name) / "jupyter-data" / "labextensions"
        place.mkdir(parents=True)
        (place / "automl_jupyter").symlink_to(PACKAGE / "labextension")
        with running(OURS, LAB, folder=Path(name)) as server:
            page = browser.new_page()
            # JupyterLab would ask elsewhere whether there is a newer one.
            page.route(ELSEWHERE, lambda route: route.abort())
            asked: set[str] = set()
            page.on("request", lambda request: asked.add(request.url.partition("?")[0]))
            page.goto(f"http://127.0.0.1:{server.address.port}/lab?token={server.address.token}")
            page.locator(".jp-LauncherCard", has_text="AutoML").first.wait_for(timeout=60_000)
            page.close()
    every = sorted(static.glob("*.js"))
    return [
        path for path in every if any(url.endswith(f"/{OURS}/static/{path.name}") for url in asked)
    ], every


# --- the report


def report_waits(report: Report, waits: Sequence[tuple[str, Sequence[float], float]]) -> None:
    """How long something takes to be there, and how long it may."""
    rows = []
    for what, samples, limit in waits:
        p50, p95 = percentile(samples, 0.5), percentile(samples, 0.95)
        rows.append((what, len(samples), p50, p95, max(samples)))
        report.targets.append(Target(f"{what}, p95", p95, limit, "ms"))
    report.table(("until it is there", "n", "p50, ms", "p95, ms", "longest, ms"), rows)


def report_felt(report: Report, found: Mapping[str, Sequence[Felt]]) -> None:
    """How each action felt, and how heavy the page was."""
    rows = []
    for what, acts in found.items():
        slowest, still = max(one.slowest for one in acts), max(one.frame for one in acts)
        shown = median([one.shown for one in acts])
        rows.append((what, len(acts), slowest, still, shown, max(one.nodes for one in acts)))
    headers = ("action", "n", "to next paint, ms", "longest frame, ms", "until it shows, ms", "elements")
    report.table(headers, rows)
    report.note(
        "To next paint and longest frame: the worst of all n, where less than 16 ms is 0; until it shows: "
        "the median."
    )
    report.targets.append(Target("interaction to next paint", max(row[2] for row in rows), PAINT_MS, "ms"))
    report.targets.append(Target("elements of a screen", max(row[5] for row in rows), NODES + 1, ""))


def report_scripts(report: Report, browser: Browser) -> None:
    """What has to be sent before anything can be seen."""
    before, every = scripts_of_lab(browser)
    page = application.STATIC / "page.js"
    parts = {part.name: [part] for part in sorted(application.STATIC.glob("part-*.js"))}
    groups = {
        "labextension, before it is opened": before,
        "labextension, all": every,
        "page, page.js": [page],
        **{f"page, {name.rpartition('-')[0]}": files for name, files in parts.items()},
    }
    sizes = {name: sum(map(packed, files)) for name, files in groups.items()}
    report.table(
        ("scripts", "files", "gzip, kB"), [(name, len(groups[name]), size) for name, size in sizes.items()]
    )
    for name in ("labextension, all", "page, page.js"):
        report.targets.append(Target(f"{name}, gzip", sizes[name], SCRIPTS_KB, "kB"))


def measure(browser: Browser, server: Server, report: Report, settings: argparse.Namespace) -> None:
    """Fill the server and use the application on it."""
    with server.connect() as connection:
        connection.get(USER)
        connection.get("/automl/api/datasets/")
        database = open_database(local_settings(server.data_dir).database_url)
        try:
            seen = filled(connection, database, settings)
            site = Site(probed(browser), server)
            site.enter()
            late, model = shown_trials(site, seen, settings.budget)
            first = first_screens(site, settings.n)
            asked = answers(site, model, settings.n)
            report_waits(
                report,
                [
                    *((f"first screen, {when}", samples, FIRST_MS) for when, samples in first.items()),
                    ("a finished trial", late, TRIAL_MS),
                    ("what-if answer", [one.shown for one in asked], ANSWER_MS),
                ],
            )
            felt = with_many_datasets(site, settings.n)
            felt |= with_many_columns(site, seen.wide, settings.n)
            felt |= with_many_trials(site, seen.job, settings.n)
            report_felt(report, felt | {"predict: change a figure": asked})
            prepared = felt["train: open it"][0].shown
            report.targets.append(Target("training of many columns, prepared", prepared, FIRST_MS, "ms"))
        finally:
            database.close()


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    made = parser("application", __doc__)
    made.add_argument("--datasets", type=int, default=10_000, help="how many data sets there are")
    made.add_argument("--columns", type=int, default=5_000, help="columns of the widest of them")
    made.add_argument("--trials", type=int, default=500, help="trials of the longest job")
    made.add_argument("--budget", type=float, default=20.0, help="seconds of the training that is looked at")
    made.add_argument("--n", type=int, default=10, help="how often each thing is done")
    return made.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Measure and report."""
    settings = _arguments(argv)
    if chromium() is None or not application.is_built():
        print("This needs Chromium and the application as its build leaves it: make demo.", file=sys.stderr)
        return 0
    report = Report("application", "The application", settings)
    with browsing() as browser:
        report_scripts(report, browser)
        with running(OURS) as server:
            measure(browser, server, report, settings)
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
