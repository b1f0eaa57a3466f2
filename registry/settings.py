"""Where digonce keeps its data and which registry a command works on."""

from __future__ import annotations

import getpass
import locale
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from registry.errors import SettingsError

SYSTEM_HOME: Final = Path("/var/lib/digonce")
_REGISTRY_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True)
class Settings:
    """What one command needs to find its registry: home folder, registry name, server, actor and language."""

    home: Path
    registry: str
    dsn: str | None
    actor: str
    language: str


def home_folder() -> Path:
    """Return the folder of the embedded server: DIGONCE_HOME, else the user's data folder.

    Root's own home is closed to the server's user, so for root it is /var/lib/digonce.
    """
    if named := os.environ.get("DIGONCE_HOME"):
        return Path(named).absolute()
    if os.geteuid() == 0:
        return SYSTEM_HOME
    from platformdirs import user_data_path

    return user_data_path("digonce")


def default_language() -> str:
    """Return zh where the locale is Chinese, else en."""
    name = os.environ.get("DIGONCE_LANG") or os.environ.get("LC_ALL") or os.environ.get("LANG") or ""
    if not name:
        name = locale.getlocale()[0] or ""
    return "zh" if name.lower().startswith("zh") else "en"


def selected_registry(home: Path) -> str | None:
    """Return the registry chosen with `digonce use`, or None."""
    try:
        return (home / "selected").read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def check_registry_name(name: str) -> str:
    """Return the name if it can be a registry, else raise: it becomes the name of a database."""
    if not _REGISTRY_NAME.fullmatch(name):
        raise SettingsError("registry_name_unusable", name=name)
    return name


def select_registry(home: Path, name: str) -> None:
    """Remember the registry that commands use when none is named."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "selected").write_text(check_registry_name(name) + "\n", encoding="utf-8")


def resolve(
    registry: str | None = None,
    dsn: str | None = None,
    actor: str | None = None,
    language: str | None = None,
) -> Settings:
    """Settle the settings of one command: option, then environment, then what was selected, then `main`."""
    home = home_folder()
    chosen = registry or os.environ.get("DIGONCE_REGISTRY") or selected_registry(home) or "main"
    spoken = language or default_language()
    if spoken not in {"en", "zh"}:
        raise SettingsError("language_unknown", language=spoken)
    return Settings(
        home=home,
        registry=check_registry_name(chosen),
        dsn=dsn or os.environ.get("DIGONCE_DSN") or None,
        actor=actor or os.environ.get("DIGONCE_ACTOR") or getpass.getuser(),
        language=spoken,
    )
