"""What is typed into the panel's form, as cells of a row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter.messages import LANGUAGES
from automl_jupyter.notebook.panel.predict import cell_of, typed_of

numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))


@given(numbers, st.sampled_from(LANGUAGES))
def test_what_is_written_is_read_as_it_was(value: float, language: str) -> None:
    assert cell_of("numeric", typed_of("numeric", value, language), language) == value


@given(st.text(), st.sampled_from(LANGUAGES))
def test_a_category_stays_as_it_was_typed(text: str, language: str) -> None:
    assert cell_of("category", text, language) == (text if text.strip() else None)


@pytest.mark.parametrize(
    ("text", "language", "cell"),
    [
        ("3,5", "fr", 3.5),
        ("3.5", "fr", 3.5),
        ("3.5", "en", 3.5),
        ("3,5", "en", "3,5"),  # three thousand, or three and a half? The server asks
        (" -7 ", "en", -7),
        ("9007199254740993", "en", 9007199254740993),
        ("nan", "en", "nan"),
        ("1e999", "fr", "1e999"),
        ("much", "fr", "much"),
        ("  ", "fr", None),
    ],
)
def test_a_number_is_read_as_the_language_writes_it(text: str, language: str, cell: object) -> None:
    assert cell_of("numeric", text, language) == cell
    assert type(cell_of("numeric", text, language)) is type(cell)
