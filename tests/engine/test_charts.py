import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import vl_convert
from sklearn.datasets import load_iris

from automl_jupyter import messages
from automl_jupyter.data.profile import profile
from automl_jupyter.data.read import convert
from automl_jupyter.engine import AutoMLClusterer, columns
from automl_jupyter.engine.charts import board, classes, clusters, costs, meaning, quantities, row, table
from automl_jupyter.engine.charts.chart import MOST_POINTS, Chart
from automl_jupyter.engine.charts.theme import THEMES
from automl_jupyter.engine.trials import Trial

pytestmark = pytest.mark.slow

HARMFUL = "datum['x']\"}); alert(1) //"


def of_classes(k, n=6000):
    rng = np.random.default_rng(k)
    truth = rng.integers(0, k, n)
    q = rng.dirichlet(np.ones(k), n) + 0.5 * np.eye(k)[truth]
    return classes.charts(
        truth, q / q.sum(axis=1, keepdims=True), [f"{HARMFUL} {i}" for i in range(k)], (1, 5)
    )


def of_quantities():
    rng = np.random.default_rng(0)
    truth = rng.exponential(10, 8000)
    return quantities.charts(truth, truth + rng.normal(0, 1 + truth / 5))


def of_search():
    trials = [
        Trial(f"m{i}", "linear", 0.9 - i / 100, (0.85, 0.93), i < 3, fit_seconds=i + 1) for i in range(40)
    ]
    return board.charts([*trials, Trial("baseline", "baseline", 0.5, (0.5, 0.5), baseline=True)], "roc_auc")


def of_clusters():
    X = load_iris(as_frame=True).data
    model = AutoMLClusterer(time_budget=20, max_trials=4).fit(X)
    cells, _ = columns.read_frame(model.preprocessor_.plan, X)
    points = model.groups_.space.points(model.preprocessor_.views(cells))
    return [
        clusters.sizes(model.profiles_),
        clusters.evidence(model.evidence_),
        clusters.places(points, model.labels_),
        clusters.traits(model.profiles_),
    ]


def of_table(folder):
    frame = pd.DataFrame(
        {
            HARMFUL: [1.5, None, 3.0, 4.5] * 20,
            "when": pd.date_range("2024-01-01", periods=80).strftime("%Y-%m-%d"),
            "word": ["a", "b", None, HARMFUL] * 20,
        }
    )
    frame.to_csv(folder / "t.csv", index=False)
    convert(folder / "t.csv", folder / "t.parquet")
    return table.charts(profile(folder / "t.parquet"), frame)


def of_meaning():
    x = np.linspace(0, 1, 20)
    curves = np.sin(x + np.arange(60)[:, None])
    return [
        meaning.learning(
            [60, 120, 240], [0.7, 0.8, 0.82], [(0.6, 0.75)] * 3, (0.02, 0.01, 0.03), "r2", HARMFUL
        ),
        meaning.learning([60, 120], [0.7, 0.7], [(0.6, 0.75)] * 2, (0.0, -0.01, 0.01), "r2", "m"),
        meaning.importance([HARMFUL, "b"], [0.3, 0.01], [(0.2, 0.4), (-0.01, 0.02)]),
        meaning.dependence(HARMFUL, x.tolist(), curves.mean(axis=0), curves, "y"),
        meaning.dependence("b", ["u", HARMFUL], np.array([0.1, 0.4]), curves[:, :2], "y"),
    ]


def of_rows():
    names, cells = [HARMFUL, *(f"c{i}" for i in range(13))], [HARMFUL, None, True, *range(11)]
    parts = [0.1 * (-1) ** i * (14 - i) for i in range(14)]
    answers = (
        row.Answer("y", "target"),
        row.Answer("y", "log_odds", HARMFUL, 0.7),
        row.Answer("y", "centred_log_probability", "b", 0.4),
    )
    return [row.contributions(0.2, names, cells, parts, answer) for answer in answers]


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    folder = tmp_path_factory.mktemp("charts")
    made = [of_classes(2), of_classes(3), of_classes(20), of_quantities(), of_search(), of_clusters()]
    return [chart for charts in (*made, of_table(folder), of_meaning(), of_rows()) for chart in charts]


def test_all_charts_are_there(every):
    assert {chart.name for chart in every} == {
        *("confusion", "roc", "precision_recall", "calibration", "gain", "threshold"),
        *("predicted", "residuals", "error_by_range", "leaderboard", "budget"),
        *("cluster_sizes", "cluster_evidence", "cluster_places", "cluster_traits"),
        *("histogram", "missing", "importance", "dependence", "contributions", "learning"),
    }


@pytest.mark.parametrize("theme", THEMES)
def test_every_chart_can_be_drawn_on_every_ground(every, theme):
    """Each theme gives a picture of its own, and something is on it."""
    for chart in every:
        picture = vl_convert.vegalite_to_png(chart.told("en", theme)["spec"], vl_version="5.20")
        assert picture[:4] == b"\x89PNG"
        assert len(picture) > 2000, chart.name


def test_a_chart_is_small_and_survives_json(every):
    for chart in every:
        assert len(chart.sheet.rows) <= MOST_POINTS
        again = Chart.from_dict(json.loads(json.dumps(chart.to_dict(), allow_nan=False)))
        assert again.told("fr", "dark") == chart.told("fr", "dark")


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_a_chart_tells_what_to_see_and_nothing_is_left_untold(every, language):
    for chart in every:
        told = chart.told(language)
        assert "\\u000" not in json.dumps(told)
        assert len(told["sentence"]) > 15
        assert told["spec"]["description"] == told["sentence"]
        assert len(told["table"]["columns"]) == len(told["table"]["rows"][0])


def test_figures_are_written_as_the_reader_does(every):
    for chart in every:
        english, french = (chart.told(language) for language in ("en", "fr"))
        assert not re.search(r"\d\.\d", french["sentence"].replace(HARMFUL, "")), french["sentence"]
        assert french["spec"]["config"].pop("locale")["number"]["decimal"] == ","
        assert french["spec"]["config"] == english["spec"]["config"]
        assert vl_convert.vegalite_to_svg(chart.told("fr")["spec"], vl_version="5.20")


def test_names_keep_their_points_and_lines_have_names():
    chart = meaning.dependence("a.b", [1.5, 2.5], np.array([0.25, 0.5]), np.array([[0.25, 0.5]]), "y.z")
    told = chart.told("fr")
    assert told["about"] == "a.b"
    for part in ("«\N{NO-BREAK SPACE}a.b\N{NO-BREAK SPACE}»", "0,25", "(à 1,5)"):
        assert part in told["sentence"]
    assert told["table"]["columns"][:2] == ["a.b", "y.z"]
    assert [row[2] for row in told["table"]["rows"]] == ["toutes, en moyenne"] * 2 + ["1"] * 2


def test_data_never_reaches_an_expression(every):
    """Names of columns are titles and values cells; fields are c0, c1, … and filters are ours."""

    def walk(value, inside=""):
        if isinstance(value, dict):
            for key, item in value.items():
                if key not in ("values", "datasets", "domain", "sort", "title", "description"):
                    walk(item, key)
        elif isinstance(value, list):
            for item in value:
                walk(item, inside)
        elif isinstance(value, str):
            assert HARMFUL not in value, inside

    for chart in every:
        walk(chart.told()["spec"])
        for filter_ in re.findall(r'"filter": "([^"]*)"', json.dumps(chart.spec)):
            assert re.fullmatch(r"\(?datum\.c\d (>|<=|==|!==?|===) ('?[\w.-]+'?)\)?", filter_), filter_


def test_the_figures_of_the_sentences_are_right():
    truth = np.r_[np.zeros(50, int), np.ones(50, int)]
    q = np.where(truth == 1, 0.9, 0.2)
    q[:10] = 0.8
    charts = {c.name: c for c in classes.charts(truth, np.column_stack([1 - q, q]), ["no", "yes"], (1, 3))}
    assert charts["confusion"].params == {"percent": 90, "true": "no", "predicted": "yes", "count": 10}
    assert "1.000" in charts["roc"].told("en")["sentence"]
    assert charts["threshold"].params["cost"] == "0"
    assert charts["gain"].params["percent"] == 40


def test_other_costs_of_errors_need_no_model():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, 500)
    p = np.clip(0.5 * truth + rng.random(500) * 0.6, 0, 1)
    q = np.column_stack([1 - p, p])
    kept = Chart.from_dict(json.loads(json.dumps(classes.threshold(truth, q, ["no", "yes"]).to_dict())))
    drawn = classes.threshold(truth, q, ["no", "yes"], (1, 8))
    assert costs.at_costs(kept, (1, 8)).told() == drawn.told()
    assert int(drawn.params["percent"]) < int(kept.params["percent"])


def test_altair_is_not_loaded_to_tell_a_chart():
    code = (
        "import sys; from automl_jupyter.engine.charts.chart import Chart;"
        "sys.exit('altair' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
