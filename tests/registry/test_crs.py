"""A registry is kept where lengths are true."""

from __future__ import annotations

import pyproj
import pytest

from registry.crs import length_error, working_srid
from registry.errors import SettingsError


@pytest.mark.parametrize("code", [4549, 4528, 26917, 32650, 2154, 3035, 27700, 2326])
def test_zones_and_projections_of_countries_keep_lengths(code: int) -> None:
    assert working_srid(f"EPSG:{code}") == code


@pytest.mark.parametrize("code", [3857, 3395, 4087])
def test_projections_of_the_world_do_not(code: int) -> None:
    with pytest.raises(SettingsError) as fault:
        working_srid(f"EPSG:{code}")
    assert fault.value.code == "crs_stretches"


def test_web_mercator_is_as_wrong_as_its_formula_says() -> None:
    """Its scale is 1 / cos(latitude), times what the ellipsoid adds; its area of use ends at 85.06 degrees."""
    assert length_error(pyproj.CRS("EPSG:3857")) == pytest.approx(0.357, abs=0.002)
