-- What the crew found at a leak: it weighs which segment the leak belongs to.

ALTER TABLE registry.leak_version
    ADD COLUMN material text,
    ADD COLUMN diameter_mm double precision,
    ADD COLUMN tier text,
    ADD CONSTRAINT diameter_mm_is_between_10_and_4000 CHECK (diameter_mm BETWEEN 10 AND 4000);
COMMENT ON COLUMN registry.leak_version.material IS '泄漏管材: Material of the pipe that leaked, as the crew found it.';
COMMENT ON COLUMN registry.leak_version.diameter_mm IS '泄漏管径: Nominal or outer diameter of the pipe that leaked, as the crew found it. [mm]';
COMMENT ON COLUMN registry.leak_version.tier IS '泄漏管段类别: Tier of the network that leaked, where the record states it.';
