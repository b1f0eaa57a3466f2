"""The model card: what a back-test found of the forecasts of a city, on one page for print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from maps.lift_chart import Axis, line_chart, line_of, mark_of, point_chart
from maps.offline import own_file
from maps.plan_map import templates
from planner.forecast.gate import CHOSEN_BEFORE, GateRule, failed_criteria, limits_in_signs
from planner.forecast.summary import by_material, pool_lift, years_in_words
from planner.score import DEFAULT_MODEL
from registry.catalogue import joined, or_dash, say
from registry.fields import fields, value_list

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from registry.store import SavedRun

SHARES: Final = (1, 5, 10, 20)
# fewer leaks in the test years than these: the figures scatter by more than what they tell apart
LEAST_LEAKS: Final = 50.0
LEAST_WINDOWS: Final = 5
MATERIAL_LEAKS: Final = 20.0
_HIGHEST_CALIBRATION: Final = 2.0
_LIMITS: Final = ["card_limit_survey", "card_limit_error", "card_limit_new"]
_PLAIN: Final = ("prior_count", "age", "random")


def model_card(run: SavedRun, city: str, language: str = "zh") -> str:
    """Return the page of one stored back-test.

    Says by itself where the record is too short or has too few leaks. Charts show the default, the learned model that
    came nearest and the plain rankings; tables show all models.
    """
    windows = run.frames["backtest_windows"]
    summary = run.frames["backtest_summary"]
    walked = summary[~summary["is_hold_out"].astype(bool)]
    models = _charted(list(dict.fromkeys(walked["model"])), run.summary["candidate"])
    name = _namer(language)
    yearly = windows[(windows["horizon_years"] == 1) & windows["district"].isna()]
    leaks = float(yearly.loc[yearly["model"] == DEFAULT_MODEL, "leaks"].sum())
    count = int(yearly["year"].nunique())
    return (
        templates()
        .get_template("model_card.html")
        .render(
            say=lambda code, **parameters: say(code, language, **parameters),
            language=language,
            style=own_file("look.css") + own_file("report.css") + own_file("charts.css") + own_file("model_card.css"),
            city=city,
            run=run,
            facts=run.summary,
            media=_listed(run.summary["media"], "medium", language),
            knowledge=_knowledge(run.summary["knowledge"], language),
            known=[(code, years_in_words(years, language)) for code, years in run.summary["knowledge"].items()],
            window_count=count,
            tested_leaks=leaks,
            evidence=_evidence(run.summary["media"], language),
            is_short=count < LEAST_WINDOWS,
            is_sparse=leaks < LEAST_LEAKS,
            horizons=_horizons(walked),
            rows=_rows(walked, name),
            gate=_gate(run, language, name),
            decision=_decision(run, language, name),
            limits=["card_limit_water", *_LIMITS] if "water" in run.summary["media"] else _LIMITS,
            uncalibrated=_uncalibrated(run, walked, language),
            unplayed=years_in_words(run.summary.get("unplayed_years", []), language),
            series=name(CHOSEN_BEFORE),
            charts=_charts(run, yearly, models, language),
            lines=[(line_of(number), name(model)) for number, model in enumerate(models)],
            marks=[(mark_of(number), name(model)) for number, model in enumerate(models) if model not in _PLAIN],
        )
    )


def _namer(language: str) -> Callable[[str], str]:
    return lambda model: say(f"forecast_model_{model}", language)


def _charted(tested: Sequence[str], candidate: str | None) -> list[str]:
    return [model for model in (DEFAULT_MODEL, candidate, *_PLAIN) if model is not None and model in tested]


def _knowledge(years: dict[str, list[int]], language: str) -> str:
    """Say how the past was known, of several ways each with its test years."""
    labels = {code: value_list("knowledge")[code].label(language) for code in years}
    if len(years) == 1:
        return "".join(labels.values())
    mark = "：" if language == "zh" else ": "
    said = [f"{label}{mark}{years_in_words(years[code], language)}" for code, label in labels.items()]
    return joined(said, language, "semicolon")


def _listed(codes: Sequence[str], name: str, language: str) -> str:
    labels = value_list(name)
    said = [labels[code].label(language) if code in labels else code for code in codes]
    return joined(said, language)


def _evidence(media: Sequence[str], language: str) -> str:
    """Say under each chart which network it is of, and how far that is proven."""
    if list(media) == ["water"]:
        return say("card_water_only", language)
    return say("card_not_water_only", language, media=_listed(media, "medium", language))


def _horizons(walked: pd.DataFrame) -> list[dict[str, float]]:
    """Return of each horizon its windows and their leaks, the shortest first."""
    own = walked[(walked["measure"] == "capture_at_10") & (walked["model"] == DEFAULT_MODEL)].sort_values(
        "horizon_years"
    )
    columns = {"horizon_years": "years", "window_count": "windows", "leaks": "leaks"}
    found: list[dict[str, float]] = own[list(columns)].rename(columns=columns).to_dict("records")  # type: ignore[assignment]
    return found


def _rows(walked: pd.DataFrame, name: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return of every model the captures of one-year windows, and of longer ones that in 10 % of the length.

    The default comes first, then who finds most.
    """
    records: list[dict[str, Any]] = walked.to_dict("records")  # type: ignore[assignment]
    told = {(row["horizon_years"], row["model"], row["measure"]): row for row in records}
    first, *longer = sorted(walked["horizon_years"].unique())
    captures = {model: told[first, model, "capture_at_10"]["weighted_mean"] for model in set(walked["model"])}
    measures = [*(f"capture_at_{share}" for share in SHARES), "never_leaked_capture_at_10"]
    rows = []
    for model in sorted(captures, key=lambda model: (model != DEFAULT_MODEL, -captures[model], model)):
        gain = told[first, model, "capture_at_10"]
        is_default = model == DEFAULT_MODEL
        further = [told[years, model, "capture_at_10"] for years in longer]
        rows.append(
            {
                "model": name(model),
                "is_default": is_default,
                "shares": [or_dash(told[first, model, measure]["weighted_mean"], ".1%") for measure in measures],
                "calibration": or_dash(told[first, model, "calibration"]["weighted_mean"], ".3g"),
                "difference": "" if is_default else _paired(gain),
                "better": "" if is_default else f"{gain['better_count']}/{gain['window_count']}",
                "longer": [
                    (or_dash(entry["weighted_mean"], ".1%"), "" if is_default else _paired(entry)) for entry in further
                ],
            }
        )
    return rows


def _gate(run: SavedRun, language: str, name: Callable[[str], str]) -> dict[str, Any]:
    """Return each criterion once, with what was found of the series and of the candidate side by side."""
    judged = run.frames["gate_criteria"]
    models = [model for model in (CHOSEN_BEFORE, run.summary["candidate"]) if model in set(judged["model"])]
    labels, materials = value_list("gate_criterion"), value_list("material")
    judged = judged.assign(material=judged["material"].fillna(""))
    cells = {
        (row["criterion"], row["material"], row["model"]): {
            "value": or_dash(row["value"], ".3g"),
            "limits": limits_in_signs(row["criterion"], row["at_least"], row["at_most"]),
            "passed": bool(row["passed"]),
        }
        for row in judged[judged["model"].isin(models)].to_dict("records")
    }
    order = {code: place for place, code in enumerate(labels)}
    keys = sorted({key[:2] for key in cells}, key=lambda key: (order[key[0]], key[1]))
    rows = [
        {
            "criterion": labels[criterion].label(language),
            "material": materials[material].label(language) if material in materials else "",
            "cells": [cells.get((criterion, material, model)) for model in models],
        }
        for criterion, material in keys
    ]
    return {"models": [name(model) for model in models], "rows": rows}


def _uncalibrated(run: SavedRun, walked: pd.DataFrame, language: str) -> str:
    """Say where the model that ships lies outside the calibration asked of challengers; empty if nowhere."""
    rule, ships = GateRule(), run.summary["ships"]
    yearly = walked[(walked["horizon_years"] == 1) & (walked["measure"] == "calibration") & (walked["model"] == ships)]
    parts = run.frames["backtest_materials"]
    parts = parts[(parts["horizon_years"] == 1) & parts["district"].isna() & (parts["model"] == ships)]
    told = by_material(parts).reset_index()
    told = told[told["leaks"] >= rule.material_leaks].sort_values("leaks", ascending=False)
    found = [(say("card_whole_city", language), float(value)) for value in yearly["weighted_mean"]]
    labels = [_listed([str(material)], "material", language) for material in told["material"]]
    found += zip(labels, told["calibration"].astype("float64"), strict=True)
    outside = [
        f"{label} {value:.2f}" for label, value in found if not rule.calibration_from <= value <= rule.calibration_to
    ]
    if not outside:
        return ""
    return say(
        "card_limit_calibration",
        language,
        where=("、" if language == "zh" else ", ").join(outside),
        low=rule.calibration_from,
        high=rule.calibration_to,
    )


def _decision(run: SavedRun, language: str, name: Callable[[str], str]) -> str:
    candidate = run.summary["candidate"]
    if candidate is None:
        return say("forecast_gate_unplayed", language)
    if run.summary["is_open"]:
        return say("forecast_gate_open", language, model=name(candidate))
    failed = _listed(failed_criteria(run.frames["gate_criteria"], candidate), "gate_criterion", language)
    return say("forecast_gate_closed", language, model=name(candidate), criteria=failed)


def _charts(run: SavedRun, yearly: pd.DataFrame, models: list[str], language: str) -> list[dict[str, Any]]:
    declared = fields()["backtest_lift"]
    percent = [(value / 100.0, f"{value} %") for value in (0, 20, 40, 60, 80, 100)]
    share = Axis(declared["length_share"].label(language), 0.0, 1.0, percent)
    leaks = Axis(declared["leak_share"].label(language), 0.0, 1.0, percent)
    lift = run.frames["backtest_lift"]
    lift = lift[(lift["horizon_years"] == 1) & lift["district"].isna()]
    titles = {code: say(f"card_chart_{code}", language) for code in ("lift", "years", "materials")}
    found = pool_lift(lift).reset_index()
    curves = {model: _points(found[found["model"] == model], "length_share", "leak_share") for model in models}
    captures = {model: _points(yearly[yearly["model"] == model], "year", "capture_at_10") for model in models}
    years = sorted(yearly["year"].unique())
    step = max(1, -(-len(years) // 8))
    across = Axis(
        fields()["backtest_windows"]["year"].label(language),
        float(min(years)) - 0.5,
        float(max(years)) + 0.5,
        [(float(year), str(year)) for year in years[::step]],
    )
    label = fields()["backtest_windows"]["capture_at_10"].label(language)
    up = Axis(label, 0.0, 1.0, percent)
    return [
        {"title": titles["lift"], "picture": line_chart(curves, share, leaks, titles["lift"]), "is_line": True},
        {
            "title": titles["years"],
            "picture": line_chart(captures, across, up, titles["years"], has_points=True),
            "is_line": True,
        },
        {
            "title": titles["materials"],
            "picture": _materials(
                run, [model for model in models if model not in _PLAIN], titles["materials"], language
            ),
            "is_line": False,
        },
    ]


def _points(own: pd.DataFrame, across: str, up: str) -> list[tuple[float, float]]:
    known = own.dropna(subset=up).sort_values(across)
    return list(zip(known[across].astype("float64"), known[up].astype("float64"), strict=True))


def _materials(run: SavedRun, models: list[str], title: str, language: str) -> str:
    """Return the chart of predicted over observed leaks by material, of models that predict a number."""
    parts = run.frames["backtest_materials"]
    parts = parts[(parts["horizon_years"] == 1) & parts["district"].isna()]
    told = by_material(parts).reset_index()
    told = told[(told["horizon_years"] == 1) & (told["leaks"] >= MATERIAL_LEAKS)]
    labels = value_list("material")
    rows: dict[str, list[float | None]] = {}
    order = told[told["model"] == DEFAULT_MODEL].sort_values("leaks", ascending=False)["material"]
    for material in order:
        own = told[told["material"] == material].set_index("model")
        code = str(material)
        count = float(own["leaks"].iloc[0])
        name = labels[code].label(language) if code in labels else code
        rows[f"{name} ({count:,.0f})"] = [_of(own, model) for model in models]
    across = Axis(
        fields()["backtest_windows"]["calibration"].label(language),
        0.0,
        _HIGHEST_CALIBRATION,
        [(0.0, "0"), (0.5, "0.5"), (1.0, "1"), (1.5, "1.5"), (2.0, "≥ 2")],
    )
    return point_chart(rows, across, title, 1.0)


def _of(own: pd.DataFrame, model: str) -> float | None:
    if model not in own.index:
        return None
    return float(own.loc[model, "calibration"])  # type: ignore[arg-type]


def _paired(gain: Mapping[str, Any]) -> str:
    error = gain["difference_standard_error"]
    return or_dash(gain["difference"], ".3g") if error != error else f"{gain['difference']:+.3f} ± {error:.3f}"
