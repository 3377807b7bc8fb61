"""Every sentence, in both languages: none missing, none out of step, none left over."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from automl_jupyter import errors, messages

PACKAGE = Path(messages.__file__).parent
CATALOGUES = sorted(path.stem for path in (messages.LOCALE / "en" / "LC_MESSAGES").glob("*.po"))
DOMAINS = [name for name in CATALOGUES if name != "argparse"]
"""Ours; argparse's holds the standard library's own sentences, by their English text."""
CODE = re.compile(r"(?:" + "|".join(DOMAINS) + r")\.[a-z_]+")


def catalogue(domain: str, language: str):
    path = messages.LOCALE / language / "LC_MESSAGES" / f"{domain}.po"
    with path.open("rb") as file:
        return read_po(file, locale=language), path


def texts(entry) -> tuple[str, ...]:
    return (entry.string,) if isinstance(entry.string, str) else tuple(entry.string)


def identifier(entry) -> str:
    return entry.id if isinstance(entry.id, str) else entry.id[0]


def sentences(found) -> dict[str, tuple[str, ...]]:
    return {identifier(entry): texts(entry) for entry in found if entry.id}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("domain", DOMAINS)
def test_both_languages_say_the_same_things(domain):
    english, french = (
        {identifier(e): e for e in catalogue(domain, lang)[0] if e.id} for lang in messages.LANGUAGES
    )
    assert english.keys() == french.keys()
    for code, entry in english.items():
        assert code.startswith(f"{domain}.")
        said = [set().union(*map(placeholders, texts(e))) - {"n"} for e in (entry, french[code])]
        assert said[0] == said[1], code
        assert all(text.strip() for e in (entry, french[code]) for text in texts(e)), code


@pytest.mark.parametrize("domain", CATALOGUES)
@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_what_is_compiled_is_what_is_written(domain, language):
    found, path = catalogue(domain, language)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = read_mo(file)
    assert sentences(compiled) == sentences(found), "run `make messages`"


LOOSE = re.compile(r"\w[:;?!»](?=\s|$)|(?<=[\w}»)]) ([:;?!»]|%(?![\w%]))|« |«\w|[^\W\d]'[^\W\d]")
"""What French does not write: no space before a high sign, or one where a line may break; straight marks."""


@pytest.mark.parametrize("domain", DOMAINS)
def test_french_is_written_as_french_is(domain):
    said = sentences(catalogue(domain, "fr")[0])
    # What is typed is typed so in every language.
    texts = {code: re.sub("Content-Type:|train[?]", "", " ".join(forms)) for code, forms in said.items()}
    assert {code: found[0] for code, text in texts.items() if (found := LOOSE.search(text))} == {}


def codes_in_source() -> set[str]:
    """Every string of the package that is a code as a whole."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.add(node.value)
    return found


def test_every_code_in_the_source_has_its_sentence():
    known = {identifier(e) for domain in DOMAINS for e in catalogue(domain, "en")[0] if e.id}
    begun = {code for code in codes_in_source() if any(k.startswith(code) for k in known)}
    assert codes_in_source() - begun == {"data.csv"}, "a file name looks like a code, nothing else does"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,en;q=0.5", "fr"),
        ("en;q=0.4, fr;q=0.9", "fr"),
        ("de, fr;q=0.1", "fr"),
        ("fr;q=0", "en"),
        ("fr;q=nonsense", "en"),
        ("*", "en"),
    ],
)
def test_the_language_is_the_readers(header, language):
    assert messages.negotiate(header) == language


@given(st.text())
def test_any_header_has_a_language(header):
    assert messages.negotiate(header) in messages.LANGUAGES


def test_a_missing_sentence_is_an_error():
    with pytest.raises(LookupError):
        messages.render("server.no_such_code")


@pytest.mark.parametrize("n", [0, 1, 2])
def test_plurals_fit_the_number(n):
    english = messages.render("services.too_many_rows", {"n": n, "most": 1}, "en")
    french = messages.render("services.too_many_rows", {"n": n, "most": 1}, "fr")
    assert english.startswith("This is") == (n == 1)
    assert ("lignes" in french) == (n > 1)


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.one_of(st.integers(), FINITE), st.sampled_from(["", ",", ".3g", ".2f"]))
def test_a_number_in_french_is_the_english_one_in_other_signs(value, spec):
    english, french = (messages.written(value, spec, language) for language in messages.LANGUAGES)
    assert french.replace(",", ".").replace("\u202f", ",") == english
    assert float(english.replace(",", "")) == float(french.replace("\u202f", "").replace(",", "."))


@given(st.one_of(st.integers(), FINITE), st.text(alphabet="0123456789.,- ab", max_size=12))
def test_numbers_in_a_sentence_follow_the_language_and_texts_stay(value, text):
    params = {"columns": value, "rows": text}
    english, french = (
        messages.render("findings.many_columns", params, language) for language in messages.LANGUAGES
    )
    assert f"({text})" in english
    assert f"({text})" in french
    told = re.search(r"colonnes \((.*?)\)", french).group(1)
    assert told.replace("\u202f", "").replace(",", ".") == re.search(r"columns \((.*?)\)", english).group(1)


@pytest.mark.parametrize(
    ("value", "english", "french"),
    [
        (5000, "5000", "5\u202f000"),
        (3600.0, "3600", "3\u202f600"),
        (-1234.5, "-1234.5", "-1\u202f234,5"),
        ("1234.5", "1234.5", "1234.5"),
        (1e-07, "1e-07", "1e-07"),
        (1.5e300, "1.5e+300", "1,5e+300"),
        ([0.5, 2000, "v1.2"], "0.5, 2000, v1.2", "0,5, 2\u202f000, v1.2"),
    ],
)
def test_figures_are_written_as_people_do(value, english, french):
    for language, told in (("en", english), ("fr", french)):
        sentence = messages.render("findings.many_columns", {"columns": value, "rows": 1}, language)
        assert f"({told})" in sentence


@pytest.mark.parametrize(
    ("value", "told"),
    [(2015, "2015"), (75001.0, "75001"), (0.25, 0.25), (1 / 3, 0.333333), ("1.5", "1.5"), (True, True)],
)
def test_a_year_or_a_code_of_a_table_has_no_groups(value, told):
    assert messages.cell(value) == told


@pytest.mark.parametrize("kind", errors.BY_STATUS.values())
def test_an_error_crosses_a_process_boundary(kind):
    problem = errors.FieldError("rows.1.age", "server.field_missing", {"field": "age"})
    error = kind("services.too_many_rows", errors=[problem], n=3, most=2)
    back = errors.from_wire(errors.to_wire(error))
    assert type(back) is kind
    assert (back.code, back.params, back.errors) == (error.code, error.params, error.errors)
    assert str(back) == str(error)
