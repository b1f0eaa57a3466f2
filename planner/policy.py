"""Policies: one file names rules, weights, prices, dig bans; reading it gives one frozen object with a content hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from pydantic import ValidationError

from planner.policy_bans import BanSet
from planner.policy_emissions import EmissionFactors
from planner.policy_gbt27512 import OperatorRows
from planner.policy_last_chance import LastChance
from planner.policy_links import Links, Supply
from planner.policy_models import (
    Candidates,
    Groups,
    Overlap,
    Planning,
    PolicyFile,
    Prices,
    Reference,
    RuleSet,
    Streets,
    Weights,
)
from planner.policy_parts import Named
from planner.policy_timing import Timing
from registry.catalogue import catalogue
from registry.errors import Phrase, PolicyError
from registry.toml_files import TomlError, read_toml

_SHOWN_VALUE_LENGTH: Final = 60
_Kind = TypeVar("_Kind", bound=Named)


class Policy(Named):
    """Everything a run depends on besides the data: rules, weights, prices, bans and settings, frozen.

    Two policies with equal content have an equal `content_hash`, in every process and on every machine; every
    saved run stores `to_dict()`, and `Policy.from_dict` brings it back.
    """

    rules: RuleSet
    weights: Weights
    prices: Prices
    bans: BanSet
    links: Links
    supply: Supply
    overlap: Overlap
    streets: Streets
    candidates: Candidates
    groups: Groups
    planning: Planning
    timing: Timing
    last_chance: LastChance | None = None
    gbt27512: OperatorRows | None = None
    emissions: EmissionFactors | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the whole content as plain values that JSON can hold."""
        return self.model_dump(mode="json")

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Bring back a policy that a run has stored.

        Raises
        ------
        PolicyError
            If the stored content does not keep the shape of this version.
        """
        try:
            return cls.model_validate(dict(content))
        except ValidationError as fault:
            raise PolicyError("plan_policy_faults", file="policy", faults=validation_faults(fault)) from fault

    @property
    def content_hash(self) -> str:
        """The SHA-256 of the content, independent of the order of keys and of the layout of the files."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def unverified(self) -> list[str]:
        """Return the keys of all figures that no source confirms; outputs show them as unverified."""
        return sorted(_unverified(self.to_dict(), ""))


def read_policy(path: Path | None = None) -> Policy:
    """Read a policy file and everything it names; without a path the packaged default.

    Rules, weights, prices, dig bans and emission factors are looked for in the folders `rules`, `weights`, `prices`,
    `bans` and `emission_factors` beside the policy file, then among the packaged ones, by id and version.

    Raises
    ------
    PolicyError
        If a file cannot be read, a key is missing, unknown or out of range, or a named part does not exist; the
        message names file, key, value and mend, all faults at once.
    """
    if path is None:
        return _packaged_policy()
    return _resolve(path, path.parent)


@cache
def _packaged_policy() -> Policy:
    return _resolve(files("planner").joinpath("policies", "default.toml"), None)


def _resolve(path: Path | Traversable, folder: Path | None) -> Policy:
    written = _read(path, PolicyFile)
    content = {name: getattr(written, name) for name in PolicyFile.model_fields}
    content["rules"] = _find(written.rules, "rules", RuleSet, folder)
    content["weights"] = _find(written.weights, "weights", Weights, folder)
    content["prices"] = _find(written.prices, "prices", Prices, folder)
    content["bans"] = _find(written.bans, "bans", BanSet, folder)
    if written.emissions is not None:
        content["emissions"] = _find(written.emissions, "emission_factors", EmissionFactors, folder)
    return Policy(**content)


def _find(wanted: Reference, kind: str, shape: type[_Kind], folder: Path | None) -> _Kind:
    """Find the part of that id and version beside the policy file, else among the packaged ones."""
    known: dict[str, None] = {}
    for path in _part_files(kind, folder):
        try:
            content = read_toml(path)
        except TomlError as fault:
            raise PolicyError("plan_policy_unreadable", file=str(path), detail=fault.phrase) from fault
        name = (str(content.get("id")), str(content.get("version")))
        if name == (wanted.id, wanted.version):
            return _validate(content, str(path), shape)
        known[f"{name[0]} {name[1]}"] = None
    raise PolicyError(
        "plan_policy_part_absent", kind=kind, id=wanted.id, version=wanted.version, known=", ".join(known) or "-"
    )


def _part_files(kind: str, folder: Path | None) -> Iterator[Path | Traversable]:
    if folder is not None and (folder / kind).is_dir():
        yield from sorted((folder / kind).glob("*.toml"))
    packaged = files("planner").joinpath(kind)
    yield from sorted((path for path in packaged.iterdir() if path.name.endswith(".toml")), key=lambda path: path.name)


def _read(path: Path | Traversable, shape: type[_Kind]) -> _Kind:
    try:
        content = read_toml(path)
    except TomlError as fault:
        raise PolicyError("plan_policy_unreadable", file=str(path), detail=fault.phrase) from fault
    return _validate(content, str(path), shape)


def _validate(content: Mapping[str, Any], file: str, shape: type[_Kind]) -> _Kind:
    try:
        return shape.model_validate(content)
    except ValidationError as fault:
        raise PolicyError("plan_policy_faults", file=file, faults=validation_faults(fault)) from fault


def validation_faults(fault: ValidationError) -> tuple[Phrase, ...]:
    """Say every fault as key, value and mend."""
    phrases: list[Phrase] = []
    for error in fault.errors(include_url=False):
        key = ".".join(str(step) for step in error["loc"]) or "(file)"
        value = repr(error["input"])
        shown = value if len(value) <= _SHOWN_VALUE_LENGTH else value[:_SHOWN_VALUE_LENGTH] + "…"
        code = f"plan_policy_{error['type']}"
        mend = Phrase(
            code if code in catalogue() else "plan_policy_other", {"detail": error["msg"], **error.get("ctx", {})}
        )
        phrases.append(Phrase("plan_policy_fault", {"key": key, "value": shown, "mend": mend}))
    return tuple(phrases)


def _unverified(content: object, key: str) -> Iterator[str]:
    if isinstance(content, dict):
        if content.get("confidence") in {"memory", "derived"}:
            name = entry_name(content)
            yield f"{key}[{name}]" if name else key
        for name, value in content.items():
            yield from _unverified(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, list):
        for value in content:
            yield from _unverified(value, key)


def entry_name(content: Mapping[str, Any]) -> str | None:
    """Return by what an entry of a table is told from the others; bands by their top, the open one as `above`."""
    name = content.get("code") or content.get("grade") or content.get("medium")
    if name or "maximum_mm" not in content:
        return name
    return f"{content['maximum_mm']:g}" if content["maximum_mm"] else "above"
