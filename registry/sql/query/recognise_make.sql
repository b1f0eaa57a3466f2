CREATE TEMP TABLE recognised (
    delivered_id text COLLATE "C" NOT NULL,
    known_id text COLLATE "C" NOT NULL,
    class text NOT NULL,
    relation text NOT NULL,
    probability double precision,
    reason text
) ON COMMIT DROP
