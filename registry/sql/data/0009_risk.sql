-- Risk that can be defended: what a leak does, in incidents and money, and its place in the matrix.

-- runs made before these factors were known had none of them
ALTER TABLE registry.run_scores
    ADD COLUMN ln_consequence_void double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_consequence_occupancy double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_consequence_evacuation double precision NOT NULL DEFAULT 0,
    ADD COLUMN incidents_per_km_year double precision,
    ADD COLUMN incidents_per_year double precision,
    ADD COLUMN incidents_low_per_year double precision,
    ADD COLUMN incidents_high_per_year double precision,
    ADD COLUMN harm_cny_per_year double precision,
    ADD COLUMN harm_low_cny_per_year double precision,
    ADD COLUMN harm_high_cny_per_year double precision,
    ADD COLUMN likelihood_band integer,
    ADD COLUMN consequence_band integer,
    ADD COLUMN matrix_grade text;
COMMENT ON COLUMN registry.run_scores.ln_consequence_void IS '后果·临近地下空间: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.ln_consequence_occupancy IS '后果·人员: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.ln_consequence_evacuation IS '后果·疏散难度: Natural logarithm of the factor; the contributions add up to the logarithm of the consequence.';
COMMENT ON COLUMN registry.run_scores.incidents_per_km_year IS '单位长度事故数: Expected incidents per kilometre and year without third-party damage; the grade is by it. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.incidents_per_year IS '年事故数: Expected incidents per year on the segment without third-party damage. [1/year]';
COMMENT ON COLUMN registry.run_scores.incidents_low_per_year IS '年事故数(低): Incidents per year at the low figure of incidents per leak. [1/year]';
COMMENT ON COLUMN registry.run_scores.incidents_high_per_year IS '年事故数(高): Incidents per year at the high figure of incidents per leak. [1/year]';
COMMENT ON COLUMN registry.run_scores.harm_cny_per_year IS '年损害: Expected harm of the leaks of a year; rare incidents are in it and the repair is not. [CNY/year]';
COMMENT ON COLUMN registry.run_scores.harm_low_cny_per_year IS '年损害(低): Harm per year at the low price. [CNY/year]';
COMMENT ON COLUMN registry.run_scores.harm_high_cny_per_year IS '年损害(高): Harm per year at the high price. [CNY/year]';
COMMENT ON COLUMN registry.run_scores.grade IS '风险等级: One of four grades by fixed thresholds of incidents per kilometre and year.';
COMMENT ON COLUMN registry.run_scores.likelihood_band IS '可能性分级: Row of the risk matrix from 1 for the least likely.';
COMMENT ON COLUMN registry.run_scores.consequence_band IS '后果分级: Column of the risk matrix from 1 for the least consequence.';
COMMENT ON COLUMN registry.run_scores.matrix_grade IS '矩阵等级: Grade of the cell of the risk matrix.';
