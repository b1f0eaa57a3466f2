"""The protocol of the figures on real data: what counts, and that nothing is lost on the way."""

from __future__ import annotations

import numpy as np
import pytest

from bench.kitchener import YEARS, read_kitchener
from tests.conftest import real_data

pytestmark = pytest.mark.real_data


def test_the_panel_of_kitchener_holds_what_the_protocol_counts() -> None:
    city = read_kitchener(real_data("kitchener").parent)
    panel = city.panel()
    assert (len(panel.segments), panel.leaks.sum()) == (15_158, 1_941)
    assert panel.segments["length_m"].sum() / 1000.0 == pytest.approx(918.35, abs=0.01)
    per_year = city.leaks["leaked_on"].dt.year.value_counts().reindex(list(YEARS))
    np.testing.assert_array_equal(panel.leaks.sum(axis=0), per_year)
    known = panel.segments["street_name"].notna()
    assert 0.95 < known.mean() < 1.0
    installed = panel.segments["installed_year_min"].to_numpy(dtype="int64")[:, None]
    year = np.arange(YEARS.start, YEARS.stop)[None, :]
    share = panel.km_years / (panel.segments["length_m"].to_numpy()[:, None] / 1000.0)
    np.testing.assert_allclose(share, np.where(year > installed, 1.0, np.where(year == installed, 0.5, 0.0)))
    np.testing.assert_allclose(
        panel.age_years, np.maximum(year - installed, np.where(year == installed, 1.0 / 3.0, 0.0))
    )
