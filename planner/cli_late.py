"""What verbs say of late work: the worst cases on the terminal and for JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pandas as pd

    from registry.console import Session

_SHOWN: Final = 5


def late_texts(frames: dict[str, pd.DataFrame], language: str) -> pd.Series:
    """Return by segment what there is to say of late work, worst first, by the frames of a plan."""
    from planner.late_text import late_in_words

    return late_in_words(
        frames["late_work"], frames["late_years"], frames["batches"], frames["batch_segments"], language
    )


def show_late(session: Session, frames: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """Say the worst cases of late work, and return the figures of all for JSON."""
    work, texts = frames["late_work"], late_texts(frames, session.language).drop_duplicates()
    if len(texts):
        session.tell("plan_late_head", shown=min(len(texts), _SHOWN), count=len(texts))
        for text in texts.head(_SHOWN):
            session.tell("explain_text", text=text)
    return {
        "segment_count": len(work),
        "case_count": len(texts),
        "km": float(work["length_m"].sum() / 1000.0),
        "worst": list(texts.head(_SHOWN)),
    }
