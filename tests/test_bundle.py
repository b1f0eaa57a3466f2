"""The bundle for machines without internet: made, refused when damaged, installed with the network cut off."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "bundle.sh"


def run(command: Sequence[str | Path], **options: str) -> subprocess.CompletedProcess[str]:
    """Run a command from the root of the file system, where our packages are not found by chance."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "DIGONCE_", "VIRTUAL"))}
    return subprocess.run(
        command, cwd="/", env=kept | options, capture_output=True, text=True, check=False, timeout=240
    )


def network_can_be_cut() -> bool:
    return shutil.which("unshare") is not None and run(["unshare", "-n", "true"]).returncode == 0


@pytest.fixture(scope="module")
def place() -> Generator[Path]:
    """A folder that the server's user may search, unlike pytest's own."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="digonce-bundle-", dir="/var/tmp"))
        stack.callback(shutil.rmtree, folder)
        folder.chmod(0o755)
        yield folder


@pytest.fixture(scope="module")
def bundle(place: Path) -> Path:
    """A bundle without Debian packages: those are installed where tests run."""
    if not (REPOSITORY / ".git").exists() or not (REPOSITORY / ".venv" / "bin" / "python").exists():
        pytest.skip("a bundle is made from a clone that make setup has set up")
    made = run([SCRIPT, "--without-debs", place / "out"])
    assert made.returncode == 0, made.stderr
    folders = [entry for entry in (place / "out").iterdir() if entry.is_dir()]
    assert len(folders) == 1
    assert Path(f"{folders[0]}.tar").is_file()
    return folders[0]


@pytest.mark.slow
def test_it_holds_what_it_names_and_no_address(bundle: Path) -> None:
    listed = {line[66:] for line in (bundle / "SHA256SUMS").read_text(encoding="utf-8").splitlines()}
    there = {f"./{path.relative_to(bundle)}" for path in bundle.rglob("*") if path.is_file()}
    assert there - listed == {"./SHA256SUMS"}
    assert listed <= there
    wheels = {path.name.split("-")[0].lower() for path in (bundle / "wheels").iterdir()}
    assert {"digonce", "numba", "geopandas", "xstatic_leaflet"} <= wheels
    assert not {"pytest", "ruff", "mypy", "playwright"} & wheels
    for name in ("install.sh", "README.md", "fits.txt", "packages.txt"):
        assert "://" not in (bundle / name).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_damaged_missing_or_strange_file_is_refused_before_anything_is_done(bundle: Path, place: Path) -> None:
    wheel = next((bundle / "wheels").glob("rapidfuzz*"))
    sound = wheel.read_bytes()
    target = place / "never"

    def refused() -> str:
        answer = run([bundle / "install.sh", target])
        assert answer.returncode == 1
        assert not target.exists()
        assert "Nothing was installed" in answer.stderr
        assert "未作任何安装" in answer.stderr
        return answer.stderr

    wheel.write_bytes(sound[:100] + bytes([sound[100] ^ 1]) + sound[101:])
    assert wheel.name in refused()
    wheel.unlink()
    assert wheel.name in refused()
    wheel.write_bytes(sound)
    stranger = bundle / "wheels" / "stranger-1.0-py3-none-any.whl"
    stranger.write_bytes(b"")
    assert stranger.name in refused()
    stranger.unlink()


@pytest.mark.slow
def test_a_machine_of_another_kind_is_told_so(bundle: Path, place: Path) -> None:
    other = place / "other"
    other.mkdir()
    fits = (bundle / "fits.txt").read_text(encoding="utf-8")
    (other / "fits.txt").write_text(fits.replace("machine=", "machine=pdp11-"), encoding="utf-8")
    shutil.copy(bundle / "install.sh", other)
    sums = run(["sha256sum", *(other / name for name in ("fits.txt", "install.sh"))]).stdout
    (other / "SHA256SUMS").write_text(sums.replace(f"{other}/", "./"), encoding="utf-8")
    answer = run([other / "install.sh", place / "never"])
    assert answer.returncode == 1
    assert "pdp11" in answer.stderr
    assert not (place / "never").exists()


@pytest.mark.slow
def test_it_installs_and_works_without_a_network(bundle: Path, place: Path) -> None:
    if not network_can_be_cut():
        pytest.skip("cutting the network off needs root and unshare")
    cut = ["unshare", "-n"]
    venv, data = place / "venv", place / "data"
    digonce = venv / "bin" / "digonce"
    installed = run([*cut, bundle / "install.sh", venv], DIGONCE_HOME=str(data))
    try:
        assert installed.returncode == 0, installed.stderr + installed.stdout
        helped = run([*cut, digonce, "--help"])
        assert helped.returncode == 0, helped.stderr
        assert "make-city" in helped.stdout
        doctor = run([*cut, digonce, "doctor", "--json"], DIGONCE_HOME=str(data))
        assert doctor.returncode == 0, doctor.stderr
        assert json.loads(doctor.stdout)["is_well"] is True
        where = "import registry, planner, maps, digonce; print(registry.__file__, planner.__file__, maps.__file__)"
        files = run([*cut, venv / "bin" / "python", "-c", where]).stdout.split()
        assert len(files) == 3
        assert all(Path(file).is_relative_to(venv) for file in files)
    finally:
        if digonce.exists():
            run([digonce, "db", "down"], DIGONCE_HOME=str(data))


def test_the_debian_packages_are_those_of_an_empty_machine() -> None:
    if shutil.which("apt-get") is None or not any(Path("/var/lib/apt/lists").glob("*_Packages*")):
        pytest.skip("apt has no lists of packages here")
    listed = run([SCRIPT, "--list-debs"])
    assert listed.returncode == 0, listed.stderr
    files = listed.stdout.split()
    assert all(file.endswith(".deb") for file in files)
    names = {file.split("_")[0] for file in files}
    # what is installed here already is in it too, down to the C library
    assert {"postgresql", "fonts-noto-cjk", "fontconfig", "python3-venv", "python3-minimal", "libc6"} <= names
    assert any(name.startswith("postgresql-") and name.endswith("-postgis-3") for name in names)
    assert any(name.startswith("libgdal") for name in names), "dependencies of dependencies"
    assert not {"chromium", "postgresql-contrib"} & names, "nothing that is only recommended"
