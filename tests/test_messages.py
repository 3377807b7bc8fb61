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


@pytest.mark.parametrize("kind", errors.BY_STATUS.values())
def test_an_error_crosses_a_process_boundary(kind):
    problem = errors.FieldError("rows.1.age", "server.field_missing", {"field": "age"})
    error = kind("services.too_many_rows", errors=[problem], n=3, most=2)
    back = errors.from_wire(errors.to_wire(error))
    assert type(back) is kind
    assert (back.code, back.params, back.errors) == (error.code, error.params, error.errors)
    assert str(back) == str(error)
