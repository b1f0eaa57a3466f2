"""Rows that an importer must hold back, put into a delivery on purpose, each listed."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from registry.city.parameters import Floats, Ints, load

# what an importer should say about each kind
_SEGMENT_KINDS: Final = (
    "material_misspelt", "duplicate_id", "zero_length", "empty_geometry", "missing_geometry", "two_parts",
    "year_in_future", "cover_in_millimetres",
)  # fmt: skip
_FIRST_SOUND: Final = 40
_HEADING_ROWS: Final = {"gpkg": 0, "csv": 1, "xlsx": 2}
_MISSPELT: Final = ("灰口铸鉄", "球墨铸鉄", "聚已烯", "无缝钢菅")


class FaultList:
    """Collects what was injected: file, id, kind, and row as the file shows it (headings counted in tables)."""

    def __init__(self) -> None:
        self._parts: list[pd.DataFrame] = []

    def add(self, file: str, kind: str, rows: Ints, ids: pd.Series) -> None:
        """Note the faulty rows of one kind."""
        if len(rows):
            listed = pd.DataFrame(
                {
                    "file": file,
                    "row": rows + 1 + _HEADING_ROWS[file.rpartition(".")[2]],
                    "object_id": ids.iloc[rows].to_numpy(),
                    "kind": kind,
                }
            )
            self._parts.append(listed)

    def frame(self) -> pd.DataFrame:
        """Return all faults in the order of file and row."""
        table = pd.concat(self._parts, ignore_index=True)
        return table.sort_values(["file", "row", "kind"], kind="stable").reset_index(drop=True)


def _chosen(count: int, share: float, taken: set[int], rng: np.random.Generator) -> Ints:
    """Choose rows that have no fault yet; at least one, so that small cities show every kind."""
    wanted = max(1, round(count * share))
    free = rng.permutation(count)
    rows = np.array([row for row in free[: wanted + len(taken)] if int(row) not in taken][:wanted], dtype=np.int64)
    taken.update(int(row) for row in rows)
    return np.sort(rows)


def spoil_segments(segments: gpd.GeoDataFrame, faults: FaultList, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return the segments with faulty rows; duplicates repeat the id of another row."""
    shares = load("census")["faults"]["segments"]
    # the first rows stay sound, so that every repeated id has an earlier, sound owner
    taken = set(range(_FIRST_SOUND))
    rows = {kind: _chosen(len(segments), shares[kind], taken, rng) for kind in _SEGMENT_KINDS}
    shapes = segments.geometry.to_numpy(copy=True)
    columns = {name: segments[name].to_numpy(dtype=object, copy=True) for name in ("管段编号", "管材", "建设年代")}
    cover = segments["埋深"].to_numpy(copy=True)
    true_ids = segments["管段编号"]
    misspelt = rows["material_misspelt"]
    columns["管材"][misspelt] = rng.choice(np.array(_MISSPELT, dtype=object), len(misspelt))
    for row in rows["duplicate_id"]:
        donor = int(row) - 1
        while donor in taken and donor >= _FIRST_SOUND:
            donor -= 1
        columns["管段编号"][row] = true_ids.iloc[donor]
    starts = shapely.get_coordinates(shapely.get_point(shapes[rows["zero_length"]], 0))
    shapes[rows["zero_length"]] = shapely.linestrings(np.stack([starts, starts], axis=1))
    shapes[rows["empty_geometry"]] = shapely.from_wkt("LINESTRING EMPTY")
    shapes[rows["missing_geometry"]] = None
    for row in rows["two_parts"]:
        shapes[row] = _broken_apart(shapely.get_coordinates(shapes[row]))
    columns["建设年代"][rows["year_in_future"]] = (2091 + rng.integers(0, 8, len(rows["year_in_future"]))).astype("str")
    wrong = rows["cover_in_millimetres"]
    cover[wrong] = np.round(rng.uniform(600, 1800, len(wrong)), -1)
    for kind, where in rows.items():
        faults.add("segments.gpkg", kind, where, true_ids)
    spoilt = segments.assign(**{name: pd.Series(values, dtype="str") for name, values in columns.items()}, 埋深=cover)
    return spoilt.set_geometry(gpd.GeoSeries(shapes, crs=segments.crs))


def _broken_apart(course: Floats) -> shapely.MultiLineString:
    first, last = course[0], course[-1]
    near, far = first + (last - first) * 0.4, first + (last - first) * 0.6
    return shapely.MultiLineString([[first, np.round(near, 3)], [np.round(far, 3), last]])


def spoil_leaks(leaks: pd.DataFrame, faults: FaultList, rng: np.random.Generator) -> pd.DataFrame:
    """Return the leaks with some days far in the future."""
    rows = _chosen(len(leaks), load("census")["faults"]["leaks"]["day_in_future"], set(), rng)
    days = leaks["发现日期"].to_numpy(dtype=object, copy=True)
    later = 2090 + rng.integers(0, 9, len(rows))
    days[rows] = [f"{year}{day[4:]}".replace("-02-29", "-02-28") for year, day in zip(later, days[rows], strict=True)]
    faults.add("leaks.csv", "day_in_future", rows, leaks["漏点编号"])
    return leaks.assign(发现日期=pd.Series(days, dtype="str"))


def spoil_projects(
    programme: pd.DataFrame, file: str, column: str, absent: list[str], faults: FaultList, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the programme with some streets or compounds that do not exist."""
    if programme.empty:
        return programme
    rows = _chosen(len(programme), load("census")["faults"]["projects"]["extent_unknown"], set(), rng)
    places = programme[column].to_numpy(dtype=object, copy=True)
    names = programme["项目名称"].to_numpy(dtype=object, copy=True)
    for number, row in enumerate(rows):
        stranger = absent[number % len(absent)]
        names[row] = names[row].replace(places[row], stranger)
        places[row] = stranger
    faults.add(file, "extent_unknown", rows, programme["项目编号"])
    return programme.assign(**{column: pd.Series(places, dtype="str"), "项目名称": pd.Series(names, dtype="str")})
