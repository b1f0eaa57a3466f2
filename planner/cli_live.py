"""Live pairs between the registry and the planner: computed in full, or followed; the verb `live-pairs`."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from planner.cli_job import PolicyPath, open_job
from registry.console import AsOf, Output, Session, command

if TYPE_CHECKING:
    from planner.policy import Policy
    from registry.pairs import Refreshed
    from registry.store import Registry

app = typer.Typer()


@command(app, "live-pairs")
def live_pairs(
    session: Session,
    is_full: Annotated[
        bool, typer.Option("--full", help="Compute all pairs anew instead of what has changed.")
    ] = False,
    policy: PolicyPath = None,
    as_of: AsOf = None,
    output: Output = None,
) -> None:
    """Bring the pairs of segments and projects up to the last delivery: only what has changed is computed anew.

    A changed pavement concerns the projects of its street. On another day, or with other widths in the policy, all
    pairs are due. Pairs of saved plans stay as they are.

    Example: digonce live-pairs --as-of 2026-11-01 -o pairs.csv
    """
    from registry.exports import check_output, write_table
    from registry.pairs import read_live_pairs

    if output is not None:
        check_output(output)
    with open_job(session, policy, as_of, None) as job:
        with job.step("plan_step_overlap"):
            followed = None if is_full else follow_live_pairs(job.registry, job.policy, job.as_of)
            if is_full:
                recompute_live_pairs(job.registry, job.policy, job.as_of)
        pairs = read_live_pairs(job.registry)
        day = job.as_of
    if output is not None:
        write_table(pairs, output, "live_pairs", session.language)
        session.tell_written(output, len(pairs))
    if followed is None:
        session.tell("live_pairs_computed", count=len(pairs), as_of=day)
    else:
        session.tell(
            "live_pairs_followed",
            count=len(pairs),
            as_of=day,
            projects=followed.project_count,
            segments=followed.segment_count,
            pavements=followed.pavement_count,
        )
    session.result(
        {
            "as_of": day,
            "pair_count": len(pairs),
            "km": float(pairs["overlap_m"].sum() / 1000.0),
            "is_full": followed is None,
            "changed_projects": None if followed is None else followed.project_count,
            "changed_segments": None if followed is None else followed.segment_count,
            "changed_pavements": None if followed is None else followed.pavement_count,
        }
    )


def recompute_live_pairs(registry: Registry, policy: Policy, as_of: date) -> int:
    """Compute all live pairs of a day anew and return their number."""
    from concurrent.futures import ThreadPoolExecutor

    from planner.live import live_extents, reach_figures
    from planner.live import live_pairs as compute
    from planner.polylines import Polylines
    from registry.pairs import last_delivery, read_network, write_live_pairs

    known_at, reach = last_delivery(registry), reach_figures(policy)
    # corridors are made while the server looks for the segments
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_network, registry, as_of, reach)
        projects = registry.frame("projects", ["kind", "half_width_m", "street_name", "geometry"], as_of=as_of)
        pavements = registry.frame("pavements", ["street_name", "geometry"], as_of=as_of)
        extents = live_extents(projects, policy, None if pavements.empty else pavements)
        network = reading.result()
    pairs = compute(network.segment_ids, Polylines(network.vertices, network.start), extents)
    write_live_pairs(registry, pairs, as_of, known_at, reach)
    return len(pairs)


def follow_live_pairs(registry: Registry, policy: Policy, as_of: date) -> Refreshed | None:
    """Compute the live pairs of what has changed; all of them, returning None, where day or widths are others."""
    from planner.live import reach_figures
    from registry.pairs import refresh_live_pairs

    done = refresh_live_pairs(registry, as_of, reach_figures(policy))
    if done is None:
        recompute_live_pairs(registry, policy, as_of)
    return done
