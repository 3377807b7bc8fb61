"""What the documentation says is so: its links, and the options, commands and measurements that it lists."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree

import pytest

from automl_jupyter.engine import admission
from automl_jupyter.notebook import arguments
from automl_jupyter.server.app import AutoML
from automl_jupyter.server.telemetry import Telemetry

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
GENERATED = {"rest.md"}
"""Pages of which a part is made when they are built: their anchors are known to Sphinx alone."""


def _page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def _without_code(text: str) -> str:
    return re.sub(r"^(```+|~~~+)[^\n`]*\n.*?^\1\s*$", "", text, flags=re.DOTALL | re.MULTILINE)


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _without_code(text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", _without_code(text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in _links(page.read_text("utf-8")):
        if re.match(r"[a-z]+:", link):
            assert link.startswith("https://"), link
            continue
        target, _, anchor = link.partition("#")
        file = (page.parent / target).resolve() if target else page
        assert file.exists(), f"{page.name}: {link}"
        if anchor and file.name not in GENERATED:
            assert anchor in _anchors(file.read_text("utf-8")), f"{page.name}: {link}"


def test_every_page_is_in_the_table_of_contents() -> None:
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", _page("index.md"), re.DOTALL)
    entries = {line for block in blocks for line in block.split() if not line.startswith(":")}
    assert {page.stem for page in DOCS.glob("*.md")} <= entries | {"index"}


@pytest.mark.parametrize("picture", sorted(DOCS.glob("images/*.svg")), ids=lambda picture: picture.name)
def test_a_picture_says_what_it_shows_and_loads_nothing(picture: Path) -> None:
    tree = ElementTree.parse(picture)
    for name in ("title", "desc"):
        found = tree.find(f"{{http://www.w3.org/2000/svg}}{name}")
        assert found is not None
        assert found.text
    assert "href" not in picture.read_text("utf-8")


def test_every_option_is_described_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", _page("configuration.md"), re.MULTILINE))
    traits = {
        name: trait
        for name, trait in AutoML.class_own_traits(config=True).items()
        if trait.this_class is AutoML
    }
    assert rows.keys() == traits.keys()
    for name, trait in traits.items():
        if name not in ("data_dir", "workers", "threads"):
            assert f"`{trait.default_value_repr()}`".replace("'", '"') in rows[name], name


@pytest.mark.parametrize(
    "command", ["upload", "findings", "train", "predict", "jobs", "models", "datasets", "user"]
)
def test_every_command_and_its_options_are_described(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "automl_jupyter.cli", command, "--help"],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    page = _page("cli.md")
    assert f"`{command}" in page
    for option in set(re.findall(r"(?<![\w-])--[a-z]+", told.stdout)) - {"--help"}:
        assert f"`{option}" in page, option


@pytest.mark.parametrize("command", arguments.COMMANDS)
def test_every_magic_is_described(command: str) -> None:
    assert f"`%automl {command}" in _page("notebook.md")


def test_every_measurement_is_described() -> None:
    described = set(re.findall(r"^\| `(automl_[a-z_]+)` \|", _page("operations.md"), re.MULTILINE))
    text = Telemetry().exposition({}).decode()
    assert described == set(
        re.findall(r"^# TYPE (automl_\w+) (?:counter|gauge|histogram)$", text, re.MULTILINE)
    ) - set(re.findall(r"^# TYPE (\w+_created) gauge$", text, re.MULTILINE))


def test_every_metric_is_described_and_the_default_stands_first() -> None:
    rows = re.findall(
        r"^\| (two classes|several classes|quantity|groups) \| (.+) \|$", _page("python.md"), re.MULTILINE
    )
    described = [tuple(re.findall(r"`(\w+)`", names)) for _, names in rows]
    assert described == [admission.METRICS[task] for task in admission.TASKS]


def test_every_suite_is_described() -> None:
    page = _page("testing.md")
    for folder in (ROOT / "tests").iterdir():
        if list(folder.glob("test_*.py")):
            assert f"`tests/{folder.name}`" in page


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    section = _page("architecture.md").partition("## Dependencies")[2]
    listed = {
        name for row in re.findall(r"^\| ([a-z, -]+) \|", section, re.MULTILINE) for name in row.split(", ")
    }
    needed = {re.split(r"[<>=\[]", dependency)[0] for dependency in project["dependencies"]}
    assert needed <= listed


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(("kind", "begin"), [("config", "scrape_configs:"), ("rules", "groups:")])
def test_prometheus_takes_what_is_proposed(kind: str, begin: str, tmp_path: Path) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", _page("operations.md"), re.DOTALL | re.MULTILINE)
    file = tmp_path / f"{kind}.yml"
    file.write_text(next(block for block in blocks if block.startswith(begin)), "utf-8")
    flags = ["--syntax-only"] if kind == "config" else []
    done = subprocess.run(
        ["promtool", "check", kind, *flags, str(file)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("sphinx") is None, reason="Sphinx is not installed (extra `docs`)"
)
def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(tmp_path / "doctrees")]
    done = subprocess.run(
        [*command, str(DOCS), str(tmp_path / "html")], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "html" / "rest.html").read_text("utf-8")
    assert "api/train/{dataset_id}/" in reference
    assert 'id="errorbody"' in reference
