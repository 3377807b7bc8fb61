"""``%automl`` in a kernel, as a notebook uses it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from automl_jupyter.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.slow
@pytest.mark.usefixtures("stopped_when_ready")
def test_a_dataframe_is_trained_on_in_the_cell(notebook: Any, client: Client) -> None:
    cell = notebook.run("best = %automl train flights --target late --time 100")
    assert cell.status == "ok", cell.error
    job = client.jobs(limit=1).items[0]
    # One output, which was written over while the leaderboard grew.
    assert len(cell.shown) == 1
    assert len(cell.states) > 3
    assert "<progress" in cell.states[0]["text/html"]
    assert "<progress" not in cell.html
    for trial in job.leaderboard:
        if trial.score is not None:
            assert cell.html.count(f"<td>{trial.name}</td>") + cell.html.count(f">{trial.name} <i>") <= 1
    assert job.model is not None
    assert f"{job.model.name}:{job.model.version}" in cell.html
    after = notebook.run("best")
    assert "<table>" in after.html
    assert job.leaderboard[0].name in after.text
    frame = notebook.run("print(best.to_frame().columns.tolist(), best.model.name, best.state)")
    assert "'score'" in frame.printed
    assert "'low'" in frame.printed
    assert job.model.name in frame.printed
    predicted = notebook.run("answer = %automl predict best flights\nprint(len(answer.to_frame()))")
    assert predicted.printed == "400\n"


@pytest.mark.slow
@pytest.mark.usefixtures("stopped_when_ready")
def test_what_was_watched_is_not_shown_twice(notebook: Any) -> None:
    cell = notebook.run("%automl train flights --target late --time 100 --name once")
    assert cell.status == "ok", cell.error
    assert len(cell.shown) == 2
    assert "<table>" in cell.shown[0]["text/html"]
    assert "<table>" not in cell.shown[1]["text/html"]
    assert "%automl predict once:1" in cell.shown[1]["text/plain"]


@pytest.mark.slow
@pytest.mark.usefixtures("nothing_runs")
def test_an_interrupt_leaves_the_training_running(notebook: Any, client: Client) -> None:
    pressed = []

    def press(output: Any) -> None:
        if not pressed and "baseline" in output.text:
            pressed.append(True)
            notebook.interrupt()

    cell = notebook.run("left = %automl train flights --target late --time 100 --name left", when=press)
    assert cell.status == "ok", cell.error
    job = client.jobs(limit=1).items[0]
    assert job.state == "running"
    assert f"%automl watch {job.id}" in notebook.run("left").text
    assert notebook.run("print(1 + 1)").printed == "2\n"
    ended = notebook.run(f"%automl jobs {job.id} --cancel")
    assert ended.status == "ok"
    client.wait(job, timeout=60)
    again = notebook.run("now = %automl watch left\nprint(now.state)")
    assert again.printed == "cancelled\n"


@pytest.mark.slow
def test_rows_in_the_cell_are_predicted(notebook: Any, model: str) -> None:
    cell = notebook.run(f"%%automl predict {model}\nhour,carrier\n6,UA\n22,ZZ\n")
    assert cell.status == "ok", cell.error
    assert "ZZ" in cell.html
    frame = notebook.run("print(_.to_frame().prediction.tolist())")
    assert frame.printed == "['no', 'yes']\n"


@pytest.mark.slow
def test_a_file_is_predicted_into_a_file(notebook: Any, model: str) -> None:
    notebook.run("flights.head(30).to_csv('rows.csv', index=False)")
    cell = notebook.run(f"%automl predict {model} rows.csv -o out.csv\nprint(len(pd.read_csv('out.csv')))")
    assert "out.csv" in cell.printed
    assert cell.printed.endswith("30\n")
    assert notebook.run(f"%automl predict {model} rows.csv").text.count("yes") > 0


@pytest.mark.slow
def test_a_model_is_explained_in_the_cell(notebook: Any, model: str) -> None:
    cell = notebook.run(f"learnt = %automl explain {model}\nlearnt")
    assert cell.status == "ok", cell.error
    assert "<caption>What the columns are worth to known-late:1</caption>" in cell.html
    assert "█" in cell.text
    frame = notebook.run("print(learnt.to_frame().columns.tolist(), learnt.importance.metric)")
    assert "['columns', 'drop', 'low', 'high']" in frame.printed
    rows = notebook.run(f"%%automl explain {model} --what-if hour\nhour,carrier\n6,UA\n22,\n")
    assert rows.status == "ok", rows.error
    assert rows.html.count("<caption>What each column adds") == 2
    assert rows.html.count("other values of hour") == 2
    told = notebook.run("print(_.to_frame().groupby('row').column.count().tolist())")
    assert told.printed == "[2, 2]\n"
    shown = notebook.run(f"%automl explain {model} --row hour=22").text
    assert "hour" in shown
    assert ("Estimated from samples" in shown) == ("±" in shown)


@pytest.mark.slow
def test_charts_are_drawn_in_the_cell(notebook: Any, model: str) -> None:
    listed = notebook.run(f"%automl charts {model}")
    assert listed.status == "ok", listed.error
    assert "<b>roc</b>" in listed.html
    assert "vegalite" not in "".join(listed.shown[0])
    roc = notebook.run(f"%automl charts {model} --chart roc --theme dark")
    drawn, figures = roc.shown
    # Where HTML stands beside a drawing, JupyterLab shows the HTML.
    assert set(drawn) == {"application/vnd.vegalite.v5+json", "text/plain"}
    assert "<table>" in figures["text/html"]
    assert "higher in" in figures["text/html"]
    several = notebook.run(f"%automl charts {model} --chart histogram").shown
    assert sum("application/vnd.vegalite.v5+json" in one for one in several) == 3


@pytest.mark.slow
def test_a_model_is_written_into_files(notebook: Any, model: str) -> None:
    cell = notebook.run(
        f"made = %automl export {model}\nprint(made.path, made.path.stat().st_size == made.bytes)"
    )
    assert cell.printed == f"{model}-notebook.zip True\n"
    card = notebook.run(f"%automl export {model} --format report -o card.md")
    assert "card.md" in card.html
    assert notebook.run("print(open('card.md', encoding='utf-8').readline())").printed.startswith("# ")


@pytest.mark.slow
def test_versions_are_put_into_service(notebook: Any, client: Client, model: str) -> None:
    assert model in notebook.run("%automl models").html
    assert notebook.run(f"%automl models {model}").status == "ok"
    assert "in service" in notebook.run(f"%automl promote {model} 1").html
    assert "7" in notebook.run(f"%automl promote {model} 7").error
    assert model in notebook.run(f"%automl rollback {model}").error
    job = client.model(model).versions[0].job_id
    assert "known-late:1" in notebook.run(f"%automl leaderboard {job}").html
    assert job in notebook.run("%automl jobs").html


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%automl train nothing --target late", "“nothing” is no variable"),
        ("%automl train flights --target lat", "nearest names are: late"),
        ("%automl train flights --target late --exclude hours", "no column hours"),
        ("%automl train flights --time soon", "is not a time"),
        ("%automl train", "usage: %automl train"),
        ("%automl fly", "There is no %automl fly"),
        ("%automl predict some", "There are no rows"),
        ("%automl predict none flights", "no model called “none”"),
        ("%automl upload 'flights", "A quote is not closed"),
        ("%automl jobs --stop", "which job"),
        ("%automl explain some --what-if hour", "What-if needs a row"),
        ("%automl explain some flights --row hour=3", "Rows are given twice"),
        ("%automl explain some --row hour", "usage: %automl explain"),
        ("%automl charts none --chart roc", "no model called “none”"),
        ("%automl export none --format pdf", "invalid choice"),
        ("%%automl models\nx", "takes no cell"),
    ],
)
def test_an_error_is_a_sentence(notebook: Any, code: str, words: str) -> None:
    cell = notebook.run(code)
    assert cell.status == "error"
    assert words in re.sub(r"\s+", " ", cell.error)
    assert "Traceback" not in cell.error
    assert "File" not in cell.error


def test_help_is_one_question_mark_away(notebook: Any) -> None:
    overview = notebook.run("%automl").printed
    for name in ("upload", "train", "predict", "jobs"):
        assert f"%automl {name} " in overview
        assert f"usage: %automl {name}" in notebook.run(f"%automl {name}?").printed
        assert f"usage: %automl {name}" in notebook.run(f"%automl {name} --help").printed


def test_names_are_shown_as_they_are_written(notebook: Any) -> None:
    cell = notebook.run(
        "odd = pd.DataFrame({'<script>alert(1)</script>': [1, 2, 3], '&amp;': ['<b>', 'x', 'y']})\n"
        "%automl upload odd"
    )
    assert cell.status == "ok", cell.error
    assert "<script" not in cell.html
    assert "&lt;script&gt;" in cell.html
    assert "&amp;amp;" in cell.html
    assert "<script>alert(1)</script>" in cell.text


def test_lists_are_tables(notebook: Any) -> None:
    notebook.run("%automl upload flights --name listed.csv")
    cell = notebook.run("tables = %automl datasets\ntables")
    assert "listed" in cell.html
    assert "listed" in notebook.run("print(tables.to_frame().name.tolist())").printed
    assert "carrier" in notebook.run("%automl datasets listed").text
    found = notebook.run("%automl findings listed --target late")
    assert found.status == "ok", found.error


def test_a_table_is_read_otherwise(notebook: Any) -> None:
    notebook.run("flights.to_csv('semi.csv', index=False, sep=';')\n%automl upload semi.csv")
    cell = notebook.run("again = %automl reread semi --type hour=string --delimiter auto\nagain")
    assert cell.status == "ok", cell.error
    kinds = notebook.run("print([(c.name, c.type) for c in again.columns][0], again.parent is not None)")
    assert kinds.printed == "('hour', 'string') True\n"
    assert "cannot be used here" in notebook.run("%automl reread semi --header 0").error


def test_the_tab_key_knows_names(notebook: Any, client: Client) -> None:
    notebook.run("%automl upload flights --name completed.csv")
    assert notebook.complete("%automl tr") == ["train"]
    notebook.run("flights.to_csv('flown.csv', index=False)")
    assert notebook.complete("%automl train fl") == ["flights", "flown.csv"]
    assert notebook.complete("%automl train flown.csv --target ho") == ["hour"]
    assert notebook.complete("%automl train compl") == ["completed"]
    assert notebook.complete("%automl train flights --tar") == ["--target"]
    assert notebook.complete("%automl train flights --target ca") == ["carrier"]
    assert notebook.complete("best = %automl train completed --target la") == ["late"]
    assert notebook.complete("%automl train flights --task mul") == ["multiclass"]
    assert notebook.complete("%automl charts any --chart ro") == ["roc"]
    assert notebook.complete("%automl export any --format on") == ["onnx"]
    assert notebook.complete("%automl explain any fl") == ["flights", "flown.csv"]
    assert {job.id for job in client.jobs().items} <= set(notebook.complete("%automl watch "))
    assert "upload" not in notebook.complete("%automl nothing ")


def test_sentences_are_french_where_the_notebook_is(start: Callable[..., Any]) -> None:
    french = start(LC_ALL="fr_FR.UTF-8")
    french.run("%load_ext automl_jupyter")
    assert "regardez les modèles rivaliser" in french.run("%automl").printed
    assert "options" in french.run("%automl train?").printed
    assert "n’est ni une variable" in french.run("%automl train rien").error


def test_unloading_leaves_nothing(start: Callable[..., Any]) -> None:
    plain = start()
    state = (
        "shell = get_ipython()\n"
        "def state():\n"
        "    return (sorted(shell.magics_manager.registry), sorted(shell.magics_manager.magics['line']),\n"
        "        sorted(shell.magics_manager.magics['cell']), len(shell.Completer.custom_matchers),\n"
        "        len(shell.input_transformers_cleanup), sorted(shell.user_ns))\n"
    )
    # IPython loads the class of its own %load_ext when it is first used.
    plain.run("get_ipython().magics_manager.registry['ExtensionMagics']")
    plain.run(state + "before = None; before = state()")
    plain.run("%load_ext automl_jupyter")
    assert plain.run("%automl").status == "ok"
    plain.run("%unload_ext automl_jupyter")
    names = "[one for one in state()[-1] if not one.startswith('_')]"
    kept = plain.run(f"print(state()[:-1] == before[:-1], {names} == [o for o in before[-1] if o[0] != '_'])")
    assert kept.printed == "True True\n"
    assert "not found" in plain.run("%automl").printed


def test_a_configuration_brings_the_magics(start: Callable[..., Any]) -> None:
    configured = start("--InteractiveShellApp.extensions=['automl_jupyter']")
    assert "%automl train" in configured.run("%automl").printed


def test_a_server_that_is_away_is_told_of(start: Callable[..., Any]) -> None:
    alone = start(JUPYTER_SERVER_URL="http://127.0.0.1:9/", JUPYTER_TOKEN="x")
    alone.run("%load_ext automl_jupyter")
    cell = alone.run("%automl jobs")
    assert cell.status == "error"
    assert "cannot be reached" in cell.error
    # Whoever presses Tab has asked nothing of the server.
    assert alone.complete("%automl tr") == ["train"]
    assert "known-late" not in alone.complete("%automl models ")


@pytest.mark.alone
def test_a_notebook_begins_at_once(start: Callable[..., Any]) -> None:
    quick = start()
    timed = "import time\nstart = time.perf_counter()\n{}\nprint(time.perf_counter() - start)"
    assert float(quick.run(timed.format("import automl_jupyter")).printed) < 0.3
    libraries = ("pandas", "sklearn", "mlflow", "pyarrow", "dask", "ipywidgets")
    heavy = f"import sys\nprint([name for name in {libraries} if name in sys.modules])"
    quick.run("%load_ext automl_jupyter")
    assert quick.run(heavy).printed == "[]\n"
    began = time.perf_counter()
    assert quick.run("%automl datasets").status == "ok"
    assert time.perf_counter() - began < 5
