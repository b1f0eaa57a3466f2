"""A seeded synthetic city, as delivery files and as truth. Only the command line and tests may use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.city.city import City, CityError, make_city
    from registry.city.delivery import write_city

__all__ = ["City", "CityError", "make_city", "write_city"]


def __getattr__(name: str) -> object:
    """Load pandas and geopandas only when a city is asked for."""
    if name == "write_city":
        from registry.city.delivery import write_city

        return write_city
    if name in __all__:
        from registry.city import city

        found: object = getattr(city, name)
        return found
    raise AttributeError(name)
