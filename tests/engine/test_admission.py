import subprocess
import sys

import pytest

from automl_jupyter import messages
from automl_jupyter.engine.admission import METRICS, ColumnSummary, admit
from automl_jupyter.errors import Unprocessable


def column(name, type_="number", role="numeric", missing=0, distinct=50, **more):
    return ColumnSummary(name, type_, role, missing, distinct, **more)


COLUMNS = [
    column("age", "integer", distinct=70),
    column("Fare"),
    column("sex", "string", "category", distinct=2),
    column("port", "string", "category", distinct=3),
    column("name", "string", "id", distinct=100),
    column("day", "datetime", "datetime"),
    column("void", "string", "empty", missing=100, distinct=0),
    column("one", "integer", "constant", distinct=1),
    column("rare", "string", "category", missing=95, distinct=2),
    column("many", "string", "text", distinct=5000),
    column("stars", "integer", "numeric", distinct=5, lowest=1, highest=5),
    column("grade", "integer", "numeric", distinct=7, lowest=3, highest=9),
]


def refused(*, target="sex", task=None, features=None, metric=None, rows=100):
    with pytest.raises(Unprocessable) as caught:
        admit(COLUMNS, rows, target, task, features, metric)
    error = caught.value
    for language in messages.LANGUAGES:
        assert error.message(language)
        assert all(messages.render(e.code, e.params, language) for e in error.errors)
    return error.code, error.errors[0].field, error.params


@pytest.mark.parametrize(
    ("target", "task"),
    [
        ("sex", "binary"),
        ("port", "multiclass"),
        ("Fare", "regression"),
        ("age", "regression"),
        ("stars", "multiclass"),
        ("grade", "regression"),
        (None, "clustering"),
    ],
)
def test_the_target_decides_the_task_and_the_metric(target, task):
    admission = admit(COLUMNS, 100, target, None, None, None)
    assert (admission.task, admission.metric) == (task, METRICS[task][0])
    assert target not in admission.features
    assert not {"name", "void", "one"} & set(admission.features)


def test_a_task_that_the_target_allows_is_taken():
    assert admit(COLUMNS, 100, "grade", "multiclass", None, "accuracy").task == "multiclass"
    assert admit(COLUMNS, 100, "stars", "regression", None, "auto").task == "regression"


def test_chosen_columns_keep_the_order_of_the_table():
    assert admit(COLUMNS, 100, "sex", None, ["Fare", "age"], None).features == ("age", "Fare")


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ({"target": "void"}, "engine.target_all_missing", "target"),
        ({"target": "one"}, "engine.constant_target", "target"),
        ({"target": "rare"}, "engine.too_few_rows", "target"),
        ({"target": "day"}, "engine.datetime_target", "target"),
        ({"target": "many", "rows": 9000}, "engine.too_many_classes", "target"),
        ({"target": None, "rows": 3}, "engine.too_few_rows_to_cluster", "target"),
        ({"target": None, "task": "binary"}, "engine.target_required", "target"),
        ({"task": "clustering"}, "engine.target_unwanted", "target"),
        ({"task": "ranking"}, "engine.unknown_task", "task"),
        ({"task": "regression"}, "engine.task_mismatch", "task"),
        ({"metric": "rmse"}, "engine.unknown_metric", "metric"),
        ({"features": ["one", "void"]}, "engine.no_features", "columns"),
        ({"features": []}, "engine.no_features", "columns"),
        ({"target": None, "features": ["one"]}, "engine.nothing_to_cluster", "columns"),
        ({"features": ["age", "sex"]}, "engine.target_among_features", "columns"),
        ({"features": ["age", "fair"]}, "engine.unknown_column", "columns.1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_field_at_fault(request_, code, field):
    assert refused(**request_)[:2] == (code, field)


def test_an_unknown_target_names_the_nearest_columns():
    assert refused(target="fare ")[2]["nearest"][0] == "Fare"
    assert refused(target="§")[2]["nearest"] == ["age", "Fare", "sex"]


def test_an_unknown_metric_lists_those_that_fit():
    assert refused(metric="r2")[2]["known"] == list(METRICS["binary"])


def test_the_rules_are_read_without_numpy_or_pandas():
    code = "import sys, automl_jupyter.engine.admission; print({'numpy', 'pandas'} & set(sys.modules))"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "set()\n"
    )
