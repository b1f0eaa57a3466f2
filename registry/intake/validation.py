"""Faults in the shape of a TOML file as phrases of the catalogue, and the part of it that is sound all the same."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from registry.errors import Phrase

Model = TypeVar("Model", bound=BaseModel)
# kind of fault that pydantic tells -> our words; a kind that is not here is a value that cannot stand there
_CODES: Final = {
    "extra_forbidden": "mapping_key_unknown",
    "missing": "mapping_key_missing",
    "string_type": "mapping_not_text",
    "int_type": "mapping_not_whole_number",
    "int_parsing": "mapping_not_whole_number",
    "int_from_float": "mapping_not_whole_number",
    "greater_than_equal": "mapping_too_small",
    "literal_error": "mapping_not_one_of",
    "dict_type": "mapping_not_a_table",
    "model_type": "mapping_not_a_table",
}
_LIKENESS: Final = 70


def nearest(word: str, choices: Iterable[str]) -> str | None:
    """Return the choice that is most like a word, or None where none is."""
    from rapidfuzz import fuzz, process

    found = process.extractOne(word.lower(), list(choices), scorer=fuzz.ratio, score_cutoff=_LIKENESS)
    return str(found[0]) if found else None


def sound_part(raw: dict[str, Any], model: type[Model]) -> tuple[Model, list[Phrase]]:
    """Return what of a file keeps its model, and a phrase for each key that does not.

    So the meaning of the sound part can be checked too, and all faults be told at once.
    """
    sound = copy.deepcopy(raw)
    faults: dict[tuple[str, ...], Phrase] = {}
    while True:
        try:
            return model.model_validate(sound), list(faults.values())
        except ValidationError as fault:
            # a key is faulty once, even where it fits none of several types
            for error in fault.errors():
                keys = _keys(sound, error["loc"])
                if keys not in faults:
                    faults[keys] = _phrase(keys, error)
            dropped = [_drop(sound, keys) for keys in faults]
            if not any(dropped):
                raise


def _phrase(keys: tuple[str, ...], error: Any) -> Phrase:  # noqa: ANN401 - what pydantic tells of one fault
    section, name = keys[:-1], keys[-1]
    where = f"[{'.'.join(section)}] {name}" if section else f"[{name}]"
    context = error.get("ctx", {})
    told: dict[str, object] = {
        "key": where,
        "value": error["input"],
        "expected": str(context.get("expected", "")).replace("'", '"').replace(" or ", ", "),
        "least": context.get("ge"),
    }
    return Phrase(_CODES.get(error["type"], "mapping_not_a_value"), told)


def _keys(raw: dict[str, Any], location: tuple[int | str, ...]) -> tuple[str, ...]:
    """Return the keys of the file on the way to a fault; pydantic adds names of types and places in lists."""
    node: Any = raw
    keys: list[str] = []
    for step in location:
        if not isinstance(node, dict) or (step not in node and keys):
            break
        keys.append(str(step))
        node = node.get(step)
    return tuple(keys)


def _drop(raw: dict[str, Any], keys: tuple[str, ...]) -> bool:
    node: Any = raw
    for key in keys[:-1]:
        node = node.get(key) if isinstance(node, dict) else None
    return isinstance(node, dict) and node.pop(keys[-1], _NOTHING) is not _NOTHING


_NOTHING: Final = object()
