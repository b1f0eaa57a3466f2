-- By how many boxes of projects a place is covered on average: how often the index would be asked for a segment.
SELECT coalesce(sum(ST_Area(ST_Expand(p.geom, registry_app.project_reach(p.kind, p.half_width_m, %(reach)s)))), 0.0)
    / nullif(ST_Area(ST_EstimatedExtent('registry', 'segment_version', 'geom')), 0)
FROM registry_app.project_at(%(as_of)s, NULL) AS p
