"""What is installed: the wheel holds what the program reads, and Jupyter finds the extension in it."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import site
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from automl_jupyter import __version__

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "automl_jupyter"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

TOOLS = ("hatchling", "hatch_jupyter_builder", "jupyter_builder")


def _wheel(source: Path, folder: Path, **variables: str) -> Path:
    """Build a wheel; without asking the network where the build's tools are installed."""
    known = ["--no-build-isolation"] if all(map(importlib.util.find_spec, TOOLS)) else []
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *known]
    _run([*build, "-w", str(folder), str(source)], **variables)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    return _wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def sdist(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, with the application that the wheel's build has brought up to date."""
    if not all(map(importlib.util.find_spec, TOOLS)):
        pytest.skip(f"{', '.join(TOOLS)} are not all installed")
    folder = tmp_path_factory.mktemp("sdist")
    _run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(folder)], cwd=ROOT)
    (built,) = folder.glob("*.tar.gz")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel; what the wheel needs is borrowed from ours."""
    folder = tmp_path_factory.mktemp("environment")
    _run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    binary = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", str(binary), "install", "-q", "--no-deps", "--no-index"]
    _run([*pip, str(wheel)])
    # Folders named in a .pth file are only searched: an editable install of ours in them has no effect.
    ours = dict.fromkeys(
        [sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *site.getsitepackages()]
    )
    theirs = _run([str(binary), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    Path(theirs.strip(), "borrowed.pth").write_text("\n".join(ours) + "\n", "utf-8")
    return binary


def _run(command: list[str], cwd: Path = Path(os.path.sep), **variables: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "PYTHON"))}
    done = subprocess.run(
        command,
        check=False,
        cwd=cwd,
        env={**kept, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_the_wheel_holds_every_file_that_the_program_reads(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    read = [
        path
        for path in PACKAGE.rglob("*")
        if path.suffix in (".py", ".mo", ".html", ".css", ".mako", ".typed")
        and "__pycache__" not in path.parts
    ]
    assert {path.suffix for path in read} >= {".py", ".mo", ".html", ".css"}
    assert {path.relative_to(ROOT).as_posix() for path in read} <= held
    assert "automl_jupyter/backends/migrations/versions/m0001_first.py" in held


def test_the_wheel_enables_the_extension_and_holds_nothing_else_of_the_checkout(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    name = f"automl_jupyter-{__version__}"
    config = f"{name}.data/data/etc/jupyter/jupyter_server_config.d/automl_jupyter.json"
    assert config in held
    assert {entry.partition("/")[0] for entry in held} == {
        "automl_jupyter",
        f"{name}.data",
        f"{name}.dist-info",
    }
    assert any(entry.endswith("LICENSE") for entry in held)


def test_jupyter_says_that_the_installed_extension_is_enabled_and_valid(python: Path, tmp_path: Path) -> None:
    places = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    told = _run([str(python), "-m", "jupyter_server", "extension", "list"], NO_COLOR="1", **places)
    lines = [line.split() for line in told.replace("\x1b[32m", "").replace("\x1b[0m", "").splitlines()]
    assert ["automl_jupyter", "enabled"] in lines
    assert ["automl_jupyter", __version__, "OK"] in lines


def test_the_wheel_holds_the_application_for_both_places(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {f"automl_jupyter/static/{name}" for name in ("page.js", "style.css")} <= held
    place = f"automl_jupyter-{__version__}.data/data/share/jupyter/labextensions/automl_jupyter"
    assert {f"{place}/package.json", f"{place}/install.json"} <= held
    assert f"{place}/schemas/automl_jupyter/plugin.json" in held
    assert any(name.startswith(f"{place}/static/remoteEntry.") for name in held)
    assert not any(name.startswith("automl_jupyter/labextension") for name in held)


def test_the_application_adds_little_to_jupyterlab(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    scripts = [name for name in archive.namelist() if "/labextensions/" in name and name.endswith(".js")]
    assert sum(len(gzip.compress(archive.read(name))) for name in scripts) < 150_000


def test_jupyterlab_says_that_the_application_is_enabled_and_valid(python: Path, tmp_path: Path) -> None:
    places = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    script = "from jupyterlab.labextensions import main; main()"
    told = re.sub("\x1b\\[\\d+m", "", _run([str(python), "-c", script, "list"], **places))
    assert f"automl_jupyter v{__version__} enabled OK" in " ".join(told.split())


def test_what_is_imported_is_what_was_installed(python: Path) -> None:
    told = _run([str(python), "-c", "import automl_jupyter; print(automl_jupyter.__file__)"])
    assert Path(told.strip()).is_relative_to(python.parents[1])


def test_the_installed_command_speaks_both_languages(python: Path) -> None:
    command = [str(python.with_name("jupyter-automl")), "--help"]
    assert "usage: jupyter automl" in _run(command, LC_ALL="C.UTF-8")
    assert "tableau" in _run(command, LC_ALL="fr_FR.UTF-8")


def test_the_installed_package_knows_its_pages_and_its_migrations(python: Path, tmp_path: Path) -> None:
    script = (
        "from automl_jupyter.server.openapi import document\n"
        "from automl_jupyter.backends.database import open_database\n"
        f"open_database('sqlite:///{tmp_path.as_posix()}/new.sqlite').close()\n"
        "print(len(document('/automl')['paths']))\n"
    )
    assert int(_run([str(python), "-c", script])) > 20


def test_the_source_distribution_holds_the_checkout_and_nothing_that_was_fetched(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    read = {path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {path.relative_to(ROOT).as_posix() for path in read} <= held
    assert {"labextension/yarn.lock", "labextension/src/core/app.ts", "tests/conftest.py", "LICENSE"} <= held
    fetched = {"node_modules", ".yarn", "__pycache__", ".hypothesis", "artifacts"}
    assert not [name for name in held if fetched & set(name.split("/"))]
    assert sdist.stat().st_size < 6_000_000


def test_the_source_distribution_is_installed_without_node(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "jlpm").write_text("#!/bin/sh\necho nothing is to be built here >&2\nexit 1\n", "utf-8")
    (tools / "jlpm").chmod(0o755)
    path = os.pathsep.join([str(tools), os.environ["PATH"]])
    built = _wheel(sdist, tmp_path / "wheel", PATH=path)
    assert set(zipfile.ZipFile(built).namelist()) == set(zipfile.ZipFile(wheel).namelist())
