"""Which pipe of a new census is which pipe of the known one, when ids change."""

from __future__ import annotations

from registry.identity.match import Matches, match_census
from registry.identity.settings import IdentitySettings, read_identity_settings

__all__ = ["IdentitySettings", "Matches", "match_census", "read_identity_settings"]
