"""Libraries that only some models need: the extra `models`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from registry.errors import MissingExtraError


def need(module: str, model: str) -> Any:  # noqa: ANN401 - a library without types
    """Import a module of the extra `models`, or say which model needs it and how to install it.

    Raises
    ------
    MissingExtraError
        If the library is not installed.
    """
    try:
        return import_module(module)
    except ImportError as fault:
        raise MissingExtraError("forecast_extra_absent", model=model, library=module.partition(".")[0]) from fault
