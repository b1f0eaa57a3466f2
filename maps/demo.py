"""The main job, end to end, on the sample city: make it, take it in, score, overlap, plan, draw, report."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from registry.console import Session

# the sample city stands still: nothing may look different next year
AS_OF: Final = date(2026, 11, 1)
YEARS: Final = "2027-2031"
REGISTRY: Final = "demo"
PLAN: Final = "demo"
CRS: Final = "EPSG:4549"
SIZES: Final = {"small": 5_000, "large": 100_000}
# money for about a third of what the sample city would renew: a budget that binds
BUDGET_CNY_PER_SEGMENT: Final = 2_000.0
# in this order: a project that names its compound or street needs those to be known
DELIVERIES: Final = (
    ("districts", "districts.gpkg"),
    ("compounds", "compounds.gpkg"),
    ("roads", "roads.gpkg"),
    ("pavements", "pavements.gpkg"),
    ("buildings", "buildings.gpkg"),
    ("segments", "segments.gpkg"),
    ("valves", "valves.gpkg"),
    ("leaks", "leaks.csv"),
    ("events", "events.csv"),
    ("customers", "customers.csv"),
    ("risers", "risers.csv"),
    ("context", "context.gpkg"),
    ("projects", "compounds.xlsx"),
    ("projects", "road_programme.xlsx"),
    ("moratoria", "moratoria.csv"),
)


def make_files(session: Session, folder: Path, segment_count: int, seed: int) -> None:
    """Write the sample city as delivery files, anew."""
    from registry.city import make_city, write_city

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    city = make_city(segment_count, seed)
    paths = write_city(city, folder)
    session.tell("city_made", count=len(city.segments), folder=folder, files=len(paths))


def take_in(session: Session, folder: Path) -> dict[str, int]:
    """Make the registry anew and take every delivery in; return the rows read, accepted and held back."""
    from registry.intake.receipt import print_receipt
    from registry.lifecycle import initialise, remove

    remove(session.settings)
    initialise(session.settings, crs=CRS, city=session.say("maps_demo_city"))
    totals = {"rows_read": 0, "accepted": 0, "held": 0}
    with session.open() as registry:
        for kind, name in DELIVERIES:
            receipt = registry.import_file(kind, folder / name, source=session.say("maps_demo_source"), today=AS_OF)
            session.tell("maps_demo_file", file=name)
            print_receipt(replace(session, is_silent=session.is_json), receipt, shown=2)
            for key in totals:
                totals[key] += getattr(receipt, key)
    return totals


def run_demo(session: Session, folder: Path, segment_count: int, seed: int) -> dict[str, Any]:
    """Do the main job and return what was made."""
    from maps.outputs import write_outputs
    from planner.cli import score
    from planner.cli_overlap import overlap
    from planner.cli_plan import plan

    folder.mkdir(parents=True, exist_ok=True)
    files = folder / "city"
    make_files(session, files, segment_count, seed)
    rows = take_in(session, files)
    # the verbs print their own tables; their JSON would be a second document beside ours
    verbs = replace(session, is_silent=session.is_json)
    day = AS_OF.isoformat()
    score(verbs, as_of=day)
    overlap(verbs, years=YEARS, as_of=day)
    plan(verbs, years=YEARS, budget_cny=BUDGET_CNY_PER_SEGMENT * segment_count, save=PLAN, as_of=day)
    with session.open() as registry:
        written = write_outputs(registry, folder, session.language, PLAN)
        saved = registry.load_run("plan", PLAN)
    keys = ("objective", "bound", "gap_share", "greedy")
    return {
        "registry": session.settings.registry,
        "folder": folder,
        "files": written,
        **rows,
        **{key: saved.summary.get(key) for key in keys},
    }
