"""The weights and limits of the matching, read from model.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Compare = Literal["code", "number", "years"]


@dataclass(frozen=True)
class AttributeRule:
    """What one attribute says about two pipes: log-odds where it agrees and where it differs."""

    column: str
    compare: Compare
    agree: float
    differ: float
    akin: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    same_share: float = 0.0
    near_share: float = 0.0
    wide_years: float = 1.0
    near_years: float = 0.0


@dataclass(frozen=True)
class IdentitySettings:
    """Limits and log-odds of the matching; `model.toml` says where each comes from.

    `within_m` is how far one pipe may lie from the other and still be on its course; `whole_share` the share of a
    pipe that must, for the two to have one course; `joint_gap_m` how far apart pieces may end that lie end to end;
    `elsewhere_m` from where on an id counts as reused; `sure_probability` parts sure pairs from doubtful ones.
    """

    version: str
    within_m: float
    whole_share: float
    joint_gap_m: float
    elsewhere_m: float
    sure_probability: float
    scatter_m: float
    scatter_least_m: float
    scatter_least_pairs: float
    scatter_outlier_factor: float
    prior_log_odds: float
    same_id_log_odds: float
    joint_log_odds: float
    distance_decay: float
    contested_log_odds: float
    attributes: tuple[AttributeRule, ...]


def read_model() -> dict[str, Any]:
    """Read model.toml as it is, with the source and confidence of every entry."""
    return tomllib.loads(files("registry.identity").joinpath("model.toml").read_text(encoding="utf-8"))


@cache
def read_identity_settings() -> IdentitySettings:
    """Return the settings that come with the package; change single ones with `dataclasses.replace`."""
    model = read_model()
    numbers = {name: float(entry["value"]) for name, entry in model["numbers"].items()}
    return IdentitySettings(
        version=model["version"], attributes=tuple(_rule(entry) for entry in model["attributes"]), **numbers
    )


def _rule(entry: dict[str, Any]) -> AttributeRule:
    said = {name: value for name, value in entry.items() if name not in {"akin", "source", "confidence"}}
    akin = {code: tuple(codes) for code, codes in entry.get("akin", {}).items()}
    return AttributeRule(akin=akin, **said)
