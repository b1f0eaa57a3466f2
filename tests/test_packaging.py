"""The wheel holds every file of our packages, our import names are ours alone, and nothing foreign is committed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from registry.doctor import OUR_PACKAGES
from tests.conftest import REPOSITORY

PACKAGES = ("registry", "planner", "maps")
LOCK = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
OUR_SCRIPTS = "maps/web/"


def committed() -> list[str]:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("this is no clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name]


def files_of_packages() -> set[str]:
    found = (path for package in PACKAGES for path in (REPOSITORY / package).rglob("*") if path.is_file())
    return {str(path.relative_to(REPOSITORY)) for path in found if path.suffix not in {".pyc", ".nbi", ".nbc"}}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of the files in a wheel that is built from a copy, so that the work tree stays as it is."""
    tree = tmp_path_factory.mktemp("tree")
    for package in PACKAGES:
        shutil.copytree(REPOSITORY / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("digonce.py", "setup.cfg", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, tree)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tree / "dist"), str(tree)]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    (path,) = (tree / "dist").glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_every_file_of_our_packages_is_in_the_wheel(wheel: set[str]) -> None:
    there = files_of_packages()
    assert {Path(name).suffix for name in there} >= {".py", ".sql", ".csv", ".toml", ".js", ".css", ".html", ".typed"}
    assert there - wheel == set()


def test_the_wheel_holds_nothing_else(wheel: set[str]) -> None:
    others = {name for name in wheel - files_of_packages() if ".dist-info/" not in name}
    assert others == {"digonce.py"}


def test_our_import_names_are_ours_alone() -> None:
    owners = packages_distributions()
    assert {name: set(owners[name]) for name in OUR_PACKAGES} == {name: {"digonce"} for name in OUR_PACKAGES}


def test_no_third_party_script_style_or_font_is_committed() -> None:
    web = re.compile(r"\.(m?js|css|woff2?|ttf|otf|eot|map|wasm)$")
    foreign = re.compile(r"leaflet[-.\d]*(\.min)?\.(js|css)$|\.min\.|\.(woff2?|ttf|otf|eot|map|wasm|whl|deb|pyc|gz)$")
    names = committed()
    kept = re.compile(r"tests/registry/released/[\d.]+\.sql\.gz")
    assert [name for name in names if foreign.search(name) and not kept.fullmatch(name)] == []
    assert [name for name in names if web.search(name) and not name.startswith(OUR_SCRIPTS)] == []
    for name in names:
        if name.startswith(OUR_SCRIPTS):
            text = (REPOSITORY / name).read_text(encoding="utf-8")
            assert re.search(r"@license|copyright|\(c\) ", text, re.IGNORECASE) is None, name
            assert max(map(len, text.splitlines())) < 400, f"{name} looks minified"


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_lock_holds_every_requirement() -> None:
    settings = ConfigParser()
    settings.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    asked = settings["options"]["install_requires"].splitlines()
    for extra in settings["options.extras_require"].values():
        asked += extra.splitlines()
    names = {normalised(found[0]) for line in asked if (found := re.match(r"[\w.-]+", line.strip()))}
    locked = {normalised(found) for found in re.findall(r"^([\w.-]+)==", LOCK, re.MULTILINE)}
    assert len(names) > 30
    assert names - locked == set()


def test_the_lock_has_hashes_only_and_no_address() -> None:
    entries = [entry for entry in re.split(r"\n(?=\w)", LOCK) if re.match(r"\w", entry)]
    assert len(entries) > 60
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []
    assert re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host| @ ", LOCK) is None
