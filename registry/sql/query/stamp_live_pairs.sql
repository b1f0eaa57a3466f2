INSERT INTO registry.live_pair_stamp (is_only, as_of, known_at, reach)
VALUES (true, %(as_of)s, coalesce(%(known_at)s, '-infinity'::timestamptz), %(reach)s)
ON CONFLICT (is_only) DO UPDATE SET as_of = excluded.as_of, known_at = excluded.known_at, reach = excluded.reach
