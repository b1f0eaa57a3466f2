-- Risk that can be defended: what each step of the leak record adds to a score, and third-party damage apart.
-- Scores that were saved before had no such contribution: a factor of one, whose logarithm is 0.
ALTER TABLE registry.run_scores
    ADD COLUMN ln_likelihood_decade double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_pressure double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_soil double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_stray_current double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_cover double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_traffic double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_joint double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_gaps double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_level double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_cohort double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_vintage double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_diameter_band double precision NOT NULL DEFAULT 0,
    ADD COLUMN ln_likelihood_street double precision NOT NULL DEFAULT 0,
    ADD COLUMN third_party_per_km_year double precision;
ALTER TABLE registry.run_scores
    ALTER COLUMN ln_likelihood_decade DROP DEFAULT,
    ALTER COLUMN ln_likelihood_pressure DROP DEFAULT,
    ALTER COLUMN ln_likelihood_soil DROP DEFAULT,
    ALTER COLUMN ln_likelihood_stray_current DROP DEFAULT,
    ALTER COLUMN ln_likelihood_cover DROP DEFAULT,
    ALTER COLUMN ln_likelihood_traffic DROP DEFAULT,
    ALTER COLUMN ln_likelihood_joint DROP DEFAULT,
    ALTER COLUMN ln_likelihood_gaps DROP DEFAULT,
    ALTER COLUMN ln_likelihood_level DROP DEFAULT,
    ALTER COLUMN ln_likelihood_cohort DROP DEFAULT,
    ALTER COLUMN ln_likelihood_vintage DROP DEFAULT,
    ALTER COLUMN ln_likelihood_diameter_band DROP DEFAULT,
    ALTER COLUMN ln_likelihood_street DROP DEFAULT;
COMMENT ON COLUMN registry.run_scores.ln_likelihood_decade IS '可能性·建设年代: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_pressure IS '可能性·压力: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_soil IS '可能性·土壤: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_stray_current IS '可能性·杂散电流: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_cover IS '可能性·埋深: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_traffic IS '可能性·交通荷载: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_joint IS '可能性·接口: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_gaps IS '可能性·缺项: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_level IS '可能性·总体水平: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_cohort IS '可能性·同管材漏损史: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_vintage IS '可能性·同管材同年代漏损史: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_diameter_band IS '可能性·同管径漏损史: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.ln_likelihood_street IS '可能性·同街道漏损史: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.third_party_per_km_year IS '第三方破坏率: Expected leaks by third-party damage per kilometre and year, apart from the likelihood: renewal does not remove them; empty where no leak is on record. [1/(km*year)]';
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

-- methane by segment, beside the scores
CREATE TABLE registry.run_emissions (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    factor_code text,
    is_measured boolean NOT NULL,
    methane_t_per_year double precision,
    methane_low_t_per_year double precision,
    methane_high_t_per_year double precision,
    methane_saved_t_per_year double precision,
    methane_saved_low_t_per_year double precision,
    methane_saved_high_t_per_year double precision,
    CONSTRAINT run_emissions_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_emissions_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_emissions ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_emissions IS 'Rows of the frame emissions that a run made.';
COMMENT ON COLUMN registry.run_emissions.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_emissions.factor_code IS '排放因子: Code of the factor of the set; empty where none applies: another medium or no gas in the pipe.';
COMMENT ON COLUMN registry.run_emissions.is_measured IS '实测: The measured flow of its leaks stands for the factor.';
COMMENT ON COLUMN registry.run_emissions.methane_t_per_year IS '年甲烷排放: Methane of a year; empty where none applies. [t/year]';
COMMENT ON COLUMN registry.run_emissions.methane_low_t_per_year IS '年甲烷排放(低): Methane of a year at the low factor. [t/year]';
COMMENT ON COLUMN registry.run_emissions.methane_high_t_per_year IS '年甲烷排放(高): Methane of a year at the high factor. [t/year]';
COMMENT ON COLUMN registry.run_emissions.methane_saved_t_per_year IS '年甲烷减排: Methane of the pipe less that of a new one in its place. [t/year]';
COMMENT ON COLUMN registry.run_emissions.methane_saved_low_t_per_year IS '年甲烷减排(低): Low of the pipe less high of a new one; below 0 the saving is not certain. [t/year]';
COMMENT ON COLUMN registry.run_emissions.methane_saved_high_t_per_year IS '年甲烷减排(高): High of the pipe less low of a new one. [t/year]';
