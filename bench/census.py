"""A plain census of any size for benchmarks: a jittered street grid cut into segments, as GeoParquet."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

_MATERIALS = ("灰口铸铁", "球墨铸铁", "钢", "PE80", "PE100", "不明")
_PRESSURES = ("低压", "中压B", "中压A")
_COATINGS = ("3PE", "石油沥青", "环氧粉末", "无", "不明")


def make_census(count: int, seed: int = 1) -> gpd.GeoDataFrame:
    """Return about 50 m long segments with four vertices and the attributes of a real census, in random order."""
    random = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count / 6)))
    start = random.integers(0, side, (count, 2)) * 150.0 + random.normal(0, 5, (count, 2))
    along = np.linspace(0, 50, 4)[None, :, None]
    angle = random.choice([0.0, np.pi / 2], count) + random.normal(0, 0.05, count)
    heading = np.column_stack((np.cos(angle), np.sin(angle)))[:, None, :]
    vertices = start[:, None, :] + along * heading + random.normal(0, 0.4, (count, 4, 2)) + [530_000.0, 4_130_000.0]
    year = random.integers(1965, 2025, count)
    rows = pd.DataFrame(
        {
            "管段编号": np.char.add("GAS-", np.arange(count).astype(str)),
            "介质": "燃气",
            "管段类别": random.choice(["市政", "庭院"], count),
            "管材": random.choice(_MATERIALS, count),
            "管径": random.choice([63.0, 110.0, 160.0, 200.0, 315.0], count),
            "压力级别": random.choice(_PRESSURES, count),
            "设计压力": random.choice([10.0, 200.0, 400.0], count),
            "建设年代": year,
            "年代来源": random.choice(["竣工", "推定"], count),
            "防腐层": random.choice(_COATINGS, count),
            "阴极保护": random.choice(["牺牲阳极", "无"], count),
            "接口型式": random.choice(["焊接", "热熔", "承插"], count),
            "埋设方式": "直埋",
            "敷设环境": random.choice(["机动车道", "人行道", "绿化带"], count),
            "埋深": np.round(random.uniform(0.6, 2.0, count), 2),
            "所在道路": np.char.add("街", (start[:, 0] // 150).astype(int).astype(str)),
            "权属单位": "招远燃气",
            "使用状态": "在用",
            "占压": random.choice(["是", "否"], count, p=[0.01, 0.99]),
            "备注": "",
        }
    )
    lines = shapely.linestrings(vertices)
    return gpd.GeoDataFrame(rows, geometry=lines, crs="EPSG:4549")


def write_census(count: int, path: Path, seed: int = 1) -> Path:
    """Write the census as GeoParquet and return its path."""
    make_census(count, seed).to_parquet(path)
    return path
