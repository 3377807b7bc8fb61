"""What is refused of groups, time, repeated rows and missing values, before any table is read."""

from __future__ import annotations

import pytest

from automl_jupyter import messages
from automl_jupyter.engine.admission import USELESS_ROLES, ColumnSummary, admit
from automl_jupyter.engine.options import Options
from automl_jupyter.errors import Unprocessable
from automl_jupyter.schemas import UNLEARNT_ROLES

COLUMNS = [
    ColumnSummary("bought", "string", "category", 0, 2),
    ColumnSummary("customer", "integer", "numeric", 0, 40),
    ColumnSummary("when", "datetime", "datetime", 0, 90),
    ColumnSummary("city", "string", "category", 3, 12),
    ColumnSummary("amount", "number", "numeric", 0, 80),
    ColumnSummary("shop", "string", "constant", 0, 1),
    ColumnSummary("year", "integer", "numeric", 0, 2),
]


def refused(options, *, task="binary", target="bought"):
    with pytest.raises(Unprocessable) as caught:
        options.check(COLUMNS, task, target)
    error = caught.value
    for language in messages.LANGUAGES:
        assert error.message(language)
        for one in error.errors:
            assert "{" not in messages.render(one.code, one.params, language)
    return [(one.field, one.code.removeprefix("engine.")) for one in error.errors]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(groups="custmer"), ("groups", "unknown_column")),
        (Options(groups="bought"), ("groups", "groups_is_target")),
        (Options(groups="shop"), ("groups", "one_group_in_column")),
        (Options(time_column="wen"), ("time_column", "unknown_column")),
        (Options(time_column="bought"), ("time_column", "time_is_target")),
        (Options(time_column="city"), ("time_column", "not_a_time_but_others")),
        (Options(time_column="year"), ("time_column", "too_few_times")),
        (Options(missing_values={"cty": ["?"]}), ("missing_values.cty", "unknown_column")),
        (Options(missing_values={"bought": ["?"]}), ("missing_values.bought", "missing_values_of_target")),
    ],
)
def test_what_cannot_be_is_refused_for_its_field(options, expected):
    assert refused(options) == [expected]


def test_the_nearest_name_is_told():
    with pytest.raises(Unprocessable) as caught:
        Options(groups="custmer").check(COLUMNS, "binary", "bought")
    assert caught.value.params["nearest"][0] == "customer"


def test_each_field_that_is_wrong_is_told():
    options = Options(groups="nobody", time_column="never", missing_values={"nothing": [0]})
    assert {field for field, _ in refused(options)} == {"groups", "time_column", "missing_values.nothing"}


def test_groups_and_time_together_are_refused():
    assert ("groups", "groups_and_time") in refused(Options(groups="customer", time_column="when"))


@pytest.mark.parametrize("options", [Options(groups="customer"), Options(time_column="when")])
def test_clusters_are_not_divided(options):
    assert [code for _, code in refused(options, task="clustering", target=None)] == ["division_of_clusters"]


def test_what_makes_sense_passes():
    for options in (
        Options(groups="customer", drop_duplicates=True, missing_values={"amount": [-999], "shop": ["?"]}),
        Options(time_column="when"),
        Options(time_column="amount"),
        Options(groups="city"),
    ):
        options.check(COLUMNS, "binary", "bought")
    Options(drop_duplicates=True, missing_values={"city": ["?"]}).check(COLUMNS, "clustering", None)


@pytest.mark.parametrize("named", [None, ["customer", "city", "amount"]])
def test_the_column_of_groups_is_not_learnt_from(named):
    admission = admit(COLUMNS, 100, "bought", None, named, None, Options(groups="customer").apart)
    assert "customer" not in admission.features
    assert "amount" in admission.features


def test_only_the_groups_to_learn_from_are_nothing_to_learn_from():
    with pytest.raises(Unprocessable) as caught:
        admit(COLUMNS, 100, "bought", None, ["customer"], None, frozenset({"customer"}))
    assert caught.value.code == "engine.no_features"


def test_people_and_engine_agree_on_what_is_not_learnt_from():
    assert UNLEARNT_ROLES == USELESS_ROLES
