"""Apply each fault in turn to a copy of the work tree and see whether its tests fail: `python -m tests.mutants`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutants import REPOSITORY, Fault, complaints, read_faults

PATIENCE_S = 240
# the tests of all faults together, on a machine that has other work
PATIENCE_FOR_ALL_S = 3600
# long enough for pytest to stop the server that it has started
FAREWELL_S = 30
PYTEST_FOUND_FAILURES = 1
_OURS = ("registry", "planner", "maps", "digonce")
_WHERE = (
    "import sys, pathlib; root = pathlib.Path.cwd().resolve();"
    f"strays = [name for name in {_OURS!r} if root not in pathlib.Path(__import__(name).__file__).resolve().parents];"
    "sys.exit(f'not imported from the copy: {strays}' if strays else 0)"
)


@dataclass(frozen=True)
class Outcome:
    """What pytest said: its exit code (None where it took too long) and its last words."""

    code: int | None
    output: str


def tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def copy_tree(target: Path) -> None:
    """Copy what git knows and what it would not ignore, as it stands in the work tree."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)


def environment(copy: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "DIGONCE_"))}
    # byte code goes by time and size of a file; a flipped sign may change neither
    return kept | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}


def run_tests(copy: Path, tests: Sequence[str], patience_s: float = PATIENCE_S) -> Outcome:
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider"]
    process = subprocess.Popen(
        [*command, "--hypothesis-seed=0", *tests],
        cwd=copy,
        env=environment(copy),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            output, _ = process.communicate(timeout=FAREWELL_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
        return Outcome(None, output)
    return Outcome(process.returncode, output)


@contextmanager
def applied(fault: Fault, copy: Path) -> Generator[None]:
    """Hold the fault in the copy for the length of the block."""
    path = copy / fault.file
    sound = path.read_bytes()
    path.write_text(sound.decode().replace(fault.old, fault.new), encoding="utf-8", newline="")
    try:
        yield
    finally:
        path.write_bytes(sound)


class Copies:
    """As many copies of the work tree as run side by side."""

    def __init__(self, folder: Path, count: int) -> None:
        self.free: SimpleQueue[Path] = SimpleQueue()
        self.count = count
        for number in range(count):
            copy = folder / f"copy-{number}"
            copy.mkdir()
            copy_tree(copy)
            subprocess.run([sys.executable, "-c", _WHERE], cwd=copy, env=environment(copy), check=True)
            self.free.put(copy)

    def try_out(self, fault: Fault) -> Outcome:
        copy = self.free.get()
        try:
            with applied(fault, copy):
                return run_tests(copy, fault.tests)
        finally:
            self.free.put(copy)

    def try_sound(self, tests: Sequence[str]) -> Outcome:
        copy = self.free.get()
        try:
            return run_tests(copy, tests, PATIENCE_FOR_ALL_S)
        finally:
            self.free.put(copy)


def tests_are_sound(copies: Copies, pool: ThreadPoolExecutor, faults: Sequence[Fault]) -> bool:
    """Run every named test once without any fault: a test that fails anyway proves nothing."""
    tests = sorted({test for fault in faults for test in fault.tests})
    shares = [tests[number :: copies.count] for number in range(copies.count)]
    tell(f"without any fault: {len(tests)} tests that must pass")
    bad = [outcome for outcome in pool.map(copies.try_sound, filter(None, shares)) if outcome.code != 0]
    for outcome in bad:
        tell(
            outcome.output
            if outcome.code is not None
            else f"{outcome.output}\nnot at the end after {PATIENCE_FOR_ALL_S} s"
        )
    return not bad


def verdict(outcome: Outcome) -> str:
    if outcome.code == PYTEST_FOUND_FAILURES:
        return "killed"
    if outcome.code == 0:
        return "SURVIVED"
    return "TOO SLOW" if outcome.code is None else "UNUSABLE"


def hunt(copies: Copies, pool: ThreadPoolExecutor, faults: Sequence[Fault]) -> list[Fault]:
    """Try every fault and return those that no test noticed."""
    left: list[Fault] = []
    started = {pool.submit(copies.try_out, fault): fault for fault in faults}
    for number, done in enumerate(as_completed(started), start=1):
        fault, outcome = started[done], done.result()
        said = verdict(outcome)
        tell(f"[{number:3}/{len(faults)}] {said:8}  {fault.id}")
        if said != "killed":
            left.append(fault)
            tell(f"           {fault.file}: {fault.old.strip()}  →  {fault.new.strip()}\n           {fault.harm}")
            if said != "SURVIVED":
                tell(outcome.output)
    return left


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", metavar="ID", action="append", help="only this fault; may be given again")
    parser.add_argument("-j", "--jobs", type=int, default=2, help="how many side by side")
    options = parser.parse_args()
    faults = read_faults()
    stale = complaints(faults)
    if stale:
        tell("The list of faults does not fit the code; mend tests/mutants/faults.toml first:")
        tell("\n".join(stale))
        return 2
    if options.only:
        unknown = set(options.only) - {fault.id for fault in faults}
        if unknown:
            tell(f"no such fault: {', '.join(sorted(unknown))}")
            return 2
        faults = [fault for fault in faults if fault.id in options.only]
    begun = time.monotonic()
    jobs = max(1, min(options.jobs, len(faults)))
    with tempfile.TemporaryDirectory(prefix="digonce-mutants-") as folder, ThreadPoolExecutor(jobs) as pool:
        copies = Copies(Path(folder), jobs)
        if not tests_are_sound(copies, pool, faults):
            tell("Some of these tests fail without any fault; mend them first.")
            return 2
        left = hunt(copies, pool, faults)
    tell(f"{len(faults)} faults, {len(faults) - len(left)} killed, {len(left)} left, {time.monotonic() - begun:.0f} s")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
