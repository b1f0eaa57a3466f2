"""The embedded PostGIS server: a private cluster in a folder, reached by a unix socket only."""

from __future__ import annotations

from registry.cluster.cluster import Cluster, ClusterStatus
from registry.cluster.locate import Binaries, find_binaries

__all__ = ["Binaries", "Cluster", "ClusterStatus", "find_binaries"]
