"""What the checker of plans found: one finding each, as a frame and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from registry.catalogue import say
from registry.fields import columns_of

_TEXTS = ("code", "batch_id", "segment_id", "place")


@dataclass(frozen=True)
class Finding:
    """One thing that a plan does not keep; what does not apply is left out."""

    code: str
    batch_id: str | None = None
    segment_id: str | None = None
    place: str | None = None
    year: int | None = None
    value: float | None = None
    limit: float | None = None


def findings_frame(found: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as the frame `plan_findings`."""
    table = pd.DataFrame([asdict(finding) for finding in found], columns=columns_of("plan_findings"))
    return table.astype(dict.fromkeys(_TEXTS, "str") | {"year": "Int64", "value": "float64", "limit": "float64"})


def tell_findings(findings: pd.DataFrame, language: str) -> list[str]:
    """Say each finding in one sentence."""
    told: list[str] = []
    for row in findings.to_dict("records"):
        words = {str(name): "—" if pd.isna(value) else value for name, value in row.items()}
        numbers = {name: 0.0 if pd.isna(row[name]) else float(row[name]) for name in ("value", "limit")}
        told.append(say(f"plan_check_{row['code']}", language, **{**words, **numbers}))
    return told
