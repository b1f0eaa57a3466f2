"""The truth: what lies in the ground, and how we know."""

from registry.errors import DigonceError
from registry.settings import Settings, resolve

__all__ = ["DigonceError", "Settings", "resolve"]
