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

-- forecasts: each segment and year, and the network by medium, year and scenario
ALTER TABLE registry.run DROP CONSTRAINT run_is_a_score_an_overlap_or_a_plan;
ALTER TABLE registry.run ADD CONSTRAINT run_is_of_a_known_kind CHECK (kind IN ('score', 'overlap', 'plan', 'forecast', 'backtest'));

CREATE TABLE registry.run_leak_forecast (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    year integer NOT NULL,
    leaks double precision NOT NULL,
    leaks_low double precision NOT NULL,
    leaks_high double precision NOT NULL,
    planned_leaks double precision NOT NULL,
    planned_leaks_low double precision NOT NULL,
    planned_leaks_high double precision NOT NULL,
    third_party_leaks double precision,
    CONSTRAINT run_leak_forecast_row_is_named_once PRIMARY KEY (run_id, segment_id, year),
    CONSTRAINT run_leak_forecast_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_leak_forecast ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_leak_forecast IS 'Rows of the frame leak_forecast that a run made.';
COMMENT ON COLUMN registry.run_leak_forecast.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_leak_forecast.year IS '年度: Calendar year. [year]';
COMMENT ON COLUMN registry.run_leak_forecast.leaks IS '期望漏点数: Leaks to expect in the year without third-party damage if nothing is renewed.';
COMMENT ON COLUMN registry.run_leak_forecast.leaks_low IS '漏点数(低): 10 % point of the number of leaks of the year.';
COMMENT ON COLUMN registry.run_leak_forecast.leaks_high IS '漏点数(高): 90 % point of the number of leaks of the year; never below what is expected.';
COMMENT ON COLUMN registry.run_leak_forecast.planned_leaks IS '方案实施后期望漏点数: Leaks to expect in the year without third-party damage if the plan is carried out.';
COMMENT ON COLUMN registry.run_leak_forecast.planned_leaks_low IS '方案实施后漏点数(低): 10 % point under the plan.';
COMMENT ON COLUMN registry.run_leak_forecast.planned_leaks_high IS '方案实施后漏点数(高): 90 % point under the plan.';
COMMENT ON COLUMN registry.run_leak_forecast.third_party_leaks IS '第三方破坏漏点数: Leaks to expect in the year by third-party damage; renewal does not remove them and they are in no other column.';

CREATE TABLE registry.run_network_forecast (
    run_id text NOT NULL,
    medium text NOT NULL,
    year integer NOT NULL,
    scenario text NOT NULL,
    leaks double precision NOT NULL,
    leaks_low double precision NOT NULL,
    leaks_high double precision NOT NULL,
    avoided double precision NOT NULL,
    avoided_low double precision NOT NULL,
    avoided_high double precision NOT NULL,
    third_party_leaks double precision,
    harm_cny double precision,
    methane_t double precision,
    CONSTRAINT run_network_forecast_row_is_named_once PRIMARY KEY (run_id, medium, year, scenario),
    CONSTRAINT run_network_forecast_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_network_forecast ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_network_forecast IS 'Rows of the frame network_forecast that a run made.';
COMMENT ON COLUMN registry.run_network_forecast.medium IS '介质: What the pipe carries.';
COMMENT ON COLUMN registry.run_network_forecast.year IS '年度: Calendar year. [year]';
COMMENT ON COLUMN registry.run_network_forecast.scenario IS '情景: What is renewed.';
COMMENT ON COLUMN registry.run_network_forecast.leaks IS '期望漏点数: Leaks to expect in the year without third-party damage.';
COMMENT ON COLUMN registry.run_network_forecast.leaks_low IS '漏点数(低): 10 % point of the number of leaks of the year.';
COMMENT ON COLUMN registry.run_network_forecast.leaks_high IS '漏点数(高): 90 % point of the number of leaks of the year.';
COMMENT ON COLUMN registry.run_network_forecast.avoided IS '避免漏点数: Leaks of the year that the scenario avoids against renewing nothing.';
COMMENT ON COLUMN registry.run_network_forecast.avoided_low IS '避免漏点数(低): 10 % point of the leaks avoided.';
COMMENT ON COLUMN registry.run_network_forecast.avoided_high IS '避免漏点数(高): 90 % point of the leaks avoided.';
COMMENT ON COLUMN registry.run_network_forecast.third_party_leaks IS '第三方破坏漏点数: Leaks to expect by third-party damage; the same in every scenario and in no other column.';
COMMENT ON COLUMN registry.run_network_forecast.harm_cny IS '损害: Expected harm of the leaks of the year by the price list; without third-party damage. [CNY]';
COMMENT ON COLUMN registry.run_network_forecast.methane_t IS '甲烷排放: Methane of the year by the figures of the emission factors; empty where none applies. [t]';

CREATE TABLE registry.run_backtest_windows (
    run_id text NOT NULL,
    model text NOT NULL,
    district text,
    year integer NOT NULL,
    horizon_years integer NOT NULL,
    knowledge text NOT NULL,
    history_years integer NOT NULL,
    history_leaks double precision NOT NULL,
    segment_count integer NOT NULL,
    length_km double precision NOT NULL,
    leaks double precision NOT NULL,
    capture_at_1 double precision,
    capture_at_5 double precision,
    capture_at_10 double precision,
    capture_at_20 double precision,
    never_leaked_km double precision NOT NULL,
    never_leaked_leaks double precision NOT NULL,
    never_leaked_capture_at_1 double precision,
    never_leaked_capture_at_5 double precision,
    never_leaked_capture_at_10 double precision,
    never_leaked_capture_at_20 double precision,
    predicted_leaks double precision NOT NULL,
    calibration double precision,
    deviance double precision,
    secondary_auc double precision,
    gone_count integer NOT NULL,
    new_count integer NOT NULL,
    new_km double precision NOT NULL,
    new_leaks double precision NOT NULL,
    CONSTRAINT run_backtest_windows_row_is_named_once UNIQUE NULLS NOT DISTINCT (run_id, model, district, year, horizon_years),
    CONSTRAINT run_backtest_windows_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_backtest_windows ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_backtest_windows IS 'Rows of the frame backtest_windows that a run made.';
COMMENT ON COLUMN registry.run_backtest_windows.model IS '模型: Name of the forecast model.';
COMMENT ON COLUMN registry.run_backtest_windows.district IS '留出区划: District whose leaks were hidden from the model; empty in the walk-forward.';
COMMENT ON COLUMN registry.run_backtest_windows.year IS '检验首年: First year of the window; the model knew what had happened before it. [year]';
COMMENT ON COLUMN registry.run_backtest_windows.horizon_years IS '预测年限: Years of the window. [year]';
COMMENT ON COLUMN registry.run_backtest_windows.knowledge IS '认知依据: Whether the past was taken as the registry had recorded it by then or by event dates and install intervals.';
COMMENT ON COLUMN registry.run_backtest_windows.history_years IS '记录年数: Years of record before the window. [year]';
COMMENT ON COLUMN registry.run_backtest_windows.history_leaks IS '训练漏点数: Expected number of leaks that the model could learn from.';
COMMENT ON COLUMN registry.run_backtest_windows.segment_count IS '管段数: Segments known before the window and in the ground during it; they are ranked.';
COMMENT ON COLUMN registry.run_backtest_windows.length_km IS '长度: Length of the ranked segments. [km]';
COMMENT ON COLUMN registry.run_backtest_windows.leaks IS '漏点数: Leaks that came on the ranked segments during the window.';
COMMENT ON COLUMN registry.run_backtest_windows.capture_at_1 IS '最差1%长度捕获率: Share of the leaks on the 1 % of the length with the highest rates; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_windows.capture_at_5 IS '最差5%长度捕获率: Share of the leaks on the 5 % of the length with the highest rates; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_windows.capture_at_10 IS '最差10%长度捕获率: Share of the leaks on the 10 % of the length with the highest rates; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_windows.capture_at_20 IS '最差20%长度捕获率: Share of the leaks on the 20 % of the length with the highest rates; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_km IS '未漏管段长度: Length of the ranked segments without a leak on record before the window. [km]';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_leaks IS '未漏管段漏点数: Leaks that came on segments without a leak on record before.';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_capture_at_1 IS '未漏管段最差1%长度捕获率: Share of the leaks on segments without a leak before that lay on the 1 % of their length with the highest rates.';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_capture_at_5 IS '未漏管段最差5%长度捕获率: Share of the leaks on segments without a leak before that lay on the 5 % of their length with the highest rates.';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_capture_at_10 IS '未漏管段最差10%长度捕获率: Share of the leaks on segments without a leak before that lay on the 10 % of their length with the highest rates.';
COMMENT ON COLUMN registry.run_backtest_windows.never_leaked_capture_at_20 IS '未漏管段最差20%长度捕获率: Share of the leaks on segments without a leak before that lay on the 20 % of their length with the highest rates.';
COMMENT ON COLUMN registry.run_backtest_windows.predicted_leaks IS '预测漏点数: Rates times the exposure of the window.';
COMMENT ON COLUMN registry.run_backtest_windows.calibration IS '预测/实际: Predicted over observed leaks; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_windows.deviance IS '泊松偏差: Summed over the ranked segments; the less the better; to be compared on the same window only.';
COMMENT ON COLUMN registry.run_backtest_windows.secondary_auc IS 'AUC（次要）: Probability that a segment with a leak ranks above one without; secondary because it counts segments instead of length.';
COMMENT ON COLUMN registry.run_backtest_windows.gone_count IS '已无对应管段数: Segments known before the window that the registry no longer has; they cannot be tested.';
COMMENT ON COLUMN registry.run_backtest_windows.new_count IS '当时未知管段数: Segments laid or learned of after the window began; left out.';
COMMENT ON COLUMN registry.run_backtest_windows.new_km IS '当时未知长度: Their length. [km]';
COMMENT ON COLUMN registry.run_backtest_windows.new_leaks IS '当时未知管段漏点数: Leaks on them during the window.';

CREATE TABLE registry.run_backtest_materials (
    run_id text NOT NULL,
    model text NOT NULL,
    district text,
    year integer NOT NULL,
    horizon_years integer NOT NULL,
    knowledge text NOT NULL,
    material text NOT NULL,
    segment_count integer NOT NULL,
    leaks double precision NOT NULL,
    predicted_leaks double precision NOT NULL,
    CONSTRAINT run_backtest_materials_row_is_named_once UNIQUE NULLS NOT DISTINCT (run_id, model, district, year, horizon_years, material),
    CONSTRAINT run_backtest_materials_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_backtest_materials ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_backtest_materials IS 'Rows of the frame backtest_materials that a run made.';
COMMENT ON COLUMN registry.run_backtest_materials.model IS '模型: Name of the forecast model.';
COMMENT ON COLUMN registry.run_backtest_materials.district IS '留出区划: District whose leaks were hidden from the model; empty in the walk-forward.';
COMMENT ON COLUMN registry.run_backtest_materials.year IS '检验首年: First year of the window; the model knew what had happened before it. [year]';
COMMENT ON COLUMN registry.run_backtest_materials.horizon_years IS '预测年限: Years of the window. [year]';
COMMENT ON COLUMN registry.run_backtest_materials.knowledge IS '认知依据: Whether the past was taken as the registry had recorded it by then or by event dates and install intervals.';
COMMENT ON COLUMN registry.run_backtest_materials.material IS '管材: Material as known before the window.';
COMMENT ON COLUMN registry.run_backtest_materials.segment_count IS '管段数: Ranked segments of the material.';
COMMENT ON COLUMN registry.run_backtest_materials.leaks IS '漏点数: Leaks that came on them.';
COMMENT ON COLUMN registry.run_backtest_materials.predicted_leaks IS '预测漏点数: Rates times the exposure of the window.';

CREATE TABLE registry.run_backtest_lift (
    run_id text NOT NULL,
    model text NOT NULL,
    district text,
    year integer NOT NULL,
    horizon_years integer NOT NULL,
    knowledge text NOT NULL,
    length_share double precision NOT NULL,
    leak_share double precision,
    leaks double precision NOT NULL,
    CONSTRAINT run_backtest_lift_row_is_named_once UNIQUE NULLS NOT DISTINCT (run_id, model, district, year, horizon_years, length_share),
    CONSTRAINT run_backtest_lift_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_backtest_lift ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_backtest_lift IS 'Rows of the frame backtest_lift that a run made.';
COMMENT ON COLUMN registry.run_backtest_lift.model IS '模型: Name of the forecast model.';
COMMENT ON COLUMN registry.run_backtest_lift.district IS '留出区划: District whose leaks were hidden from the model; empty in the walk-forward.';
COMMENT ON COLUMN registry.run_backtest_lift.year IS '检验首年: First year of the window; the model knew what had happened before it. [year]';
COMMENT ON COLUMN registry.run_backtest_lift.horizon_years IS '预测年限: Years of the window. [year]';
COMMENT ON COLUMN registry.run_backtest_lift.knowledge IS '认知依据: Whether the past was taken as the registry had recorded it by then or by event dates and install intervals.';
COMMENT ON COLUMN registry.run_backtest_lift.length_share IS '长度占比: Share of the length, worst first.';
COMMENT ON COLUMN registry.run_backtest_lift.leak_share IS '漏点占比: Share of the leaks found on it; empty without leaks.';
COMMENT ON COLUMN registry.run_backtest_lift.leaks IS '漏点数: Leaks of the window.';

CREATE TABLE registry.run_backtest_summary (
    run_id text NOT NULL,
    model text NOT NULL,
    is_hold_out boolean NOT NULL,
    horizon_years integer NOT NULL,
    measure text NOT NULL,
    weighted_mean double precision,
    mean double precision,
    standard_deviation double precision,
    window_count integer NOT NULL,
    leaks double precision NOT NULL,
    difference double precision,
    difference_standard_error double precision,
    better_count integer,
    CONSTRAINT run_backtest_summary_row_is_named_once UNIQUE NULLS NOT DISTINCT (run_id, model, is_hold_out, horizon_years, measure),
    CONSTRAINT run_backtest_summary_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_backtest_summary ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_backtest_summary IS 'Rows of the frame backtest_summary that a run made.';
COMMENT ON COLUMN registry.run_backtest_summary.model IS '模型: Name of the forecast model.';
COMMENT ON COLUMN registry.run_backtest_summary.is_hold_out IS '留出区划检验: Whether the windows are those of held-out districts.';
COMMENT ON COLUMN registry.run_backtest_summary.horizon_years IS '预测年限: Years of each window. [year]';
COMMENT ON COLUMN registry.run_backtest_summary.measure IS '指标: Column of backtest_windows.';
COMMENT ON COLUMN registry.run_backtest_summary.weighted_mean IS '按漏点加权均值: Mean over windows weighted by their leaks.';
COMMENT ON COLUMN registry.run_backtest_summary.mean IS '均值: Mean over windows alike.';
COMMENT ON COLUMN registry.run_backtest_summary.standard_deviation IS '标准差: Standard deviation over windows.';
COMMENT ON COLUMN registry.run_backtest_summary.window_count IS '窗口数: Windows in which the measure exists.';
COMMENT ON COLUMN registry.run_backtest_summary.leaks IS '漏点数: Leaks of these windows, by which they are weighted.';
COMMENT ON COLUMN registry.run_backtest_summary.difference IS '与默认模型之差: Mean over windows of the measure less that of the default on the same window.';
COMMENT ON COLUMN registry.run_backtest_summary.difference_standard_error IS '差值标准误: Standard error of the difference over windows; empty for fewer than two.';
COMMENT ON COLUMN registry.run_backtest_summary.better_count IS '优于默认的窗口数: Windows in which the model is better than the default; empty where no side is better.';

CREATE TABLE registry.run_gate_criteria (
    run_id text NOT NULL,
    model text NOT NULL,
    criterion text NOT NULL,
    material text,
    value double precision,
    standard_error double precision,
    at_least double precision,
    at_most double precision,
    passed boolean NOT NULL,
    CONSTRAINT run_gate_criteria_row_is_named_once UNIQUE NULLS NOT DISTINCT (run_id, model, criterion, material),
    CONSTRAINT run_gate_criteria_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_gate_criteria ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_gate_criteria IS 'Rows of the frame gate_criteria that a run made.';
COMMENT ON COLUMN registry.run_gate_criteria.model IS '模型: Learned model, or `chosen_before`: each window played by the model chosen on earlier windows.';
COMMENT ON COLUMN registry.run_gate_criteria.criterion IS '准则: What is asked of the model.';
COMMENT ON COLUMN registry.run_gate_criteria.material IS '管材: Material of a calibration by material.';
COMMENT ON COLUMN registry.run_gate_criteria.value IS '数值: What was found.';
COMMENT ON COLUMN registry.run_gate_criteria.standard_error IS '标准误: Standard error over windows of a difference to the default.';
COMMENT ON COLUMN registry.run_gate_criteria.at_least IS '下限: Lower limit; the capture must lie above it.';
COMMENT ON COLUMN registry.run_gate_criteria.at_most IS '上限: Upper limit; the deviance must lie below it.';
COMMENT ON COLUMN registry.run_gate_criteria.passed IS '通过: Whether the criterion is met.';

-- which model ranks: the default or a learned one that passed the gate; scores that were saved before are the default's
ALTER TABLE registry.run_scores
    ADD COLUMN ln_likelihood_learned_model double precision NOT NULL DEFAULT 0,
    ADD COLUMN default_per_km_year double precision,
    ADD COLUMN learned_per_km_year double precision,
    ADD COLUMN ranking_model text NOT NULL DEFAULT 'default';
ALTER TABLE registry.run_scores
    ALTER COLUMN ln_likelihood_learned_model DROP DEFAULT,
    ALTER COLUMN ranking_model DROP DEFAULT;
COMMENT ON COLUMN registry.run_scores.ln_likelihood_learned_model IS '可能性·学习模型: Natural logarithm of the factor; the contributions add up to the logarithm of the likelihood.';
COMMENT ON COLUMN registry.run_scores.default_per_km_year IS '默认模型漏率: Expected leaks per kilometre and year by the default model, whichever ranks; empty in runs of older versions. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.learned_per_km_year IS '学习模型漏率: Expected leaks per kilometre and year by the learned model, whichever ranks; empty where none was asked or its medium has no record. [1/(km*year)]';
COMMENT ON COLUMN registry.run_scores.ranking_model IS '排序模型: Model whose rate is the likelihood, by which the segment is ranked and graded.';

-- what the gate decided on a back-test; it stays when the run is replaced, so that old scores can name it
CREATE TABLE registry.gate_decision (
    decision_id text NOT NULL,
    run_id text NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    organisation text,
    as_of date NOT NULL,
    known_at timestamptz,
    code_version text NOT NULL,
    policy_hash text NOT NULL,
    data_stamps jsonb NOT NULL,
    windows integer[] NOT NULL,
    models text[] NOT NULL,
    ships text NOT NULL,
    candidate text,
    criteria jsonb NOT NULL,
    CONSTRAINT gate_decision_has_an_id PRIMARY KEY (decision_id),
    CONSTRAINT gate_decision_ships_the_default_or_its_candidate CHECK (ships = 'default' OR ships IS NOT DISTINCT FROM candidate)
);
ALTER TABLE registry.gate_decision ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.gate_decision IS 'One decision of the gate which model ranks, with what it was made from.';
COMMENT ON COLUMN registry.gate_decision.decision_id IS 'Id of the decision.';
COMMENT ON COLUMN registry.gate_decision.run_id IS 'Back-test that it was made on; that run is gone once another back-test was kept.';
COMMENT ON COLUMN registry.gate_decision.made_at IS 'Instant at which it was kept.';
COMMENT ON COLUMN registry.gate_decision.actor IS 'Who ran the back-test.';
COMMENT ON COLUMN registry.gate_decision.organisation IS 'Organisation for which the actor acted; empty where for all.';
COMMENT ON COLUMN registry.gate_decision.as_of IS 'Day as of which the data were read.';
COMMENT ON COLUMN registry.gate_decision.known_at IS 'Instant as of which the data were known; empty for what was known then.';
COMMENT ON COLUMN registry.gate_decision.code_version IS 'Version of digonce.';
COMMENT ON COLUMN registry.gate_decision.policy_hash IS 'Hash of the content of the policy.';
COMMENT ON COLUMN registry.gate_decision.data_stamps IS 'By kind of data that the back-test used: the version of the registry that its last delivery made.';
COMMENT ON COLUMN registry.gate_decision.windows IS 'Years of the one-year windows by which it was decided.';
COMMENT ON COLUMN registry.gate_decision.models IS 'Learned models that were tested.';
COMMENT ON COLUMN registry.gate_decision.ships IS 'Model that ranks: the default, or the learned one that passed every criterion.';
COMMENT ON COLUMN registry.gate_decision.candidate IS 'Learned model that came nearest; empty where none could be judged.';
COMMENT ON COLUMN registry.gate_decision.criteria IS 'Every criterion of every learned model with value, limits and whether it was passed: rows of the frame gate_criteria.';

CREATE TABLE registry.survey (
    survey_id text COLLATE "C" NOT NULL,
    first_delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT survey_id_is_not_empty CHECK (survey_id <> '')
);
CREATE UNIQUE INDEX survey_has_one_identity ON registry.survey (survey_id);
COMMENT ON TABLE registry.survey IS 'Identity of leak surveys: that an id exists and which delivery named it first.';

CREATE TABLE registry.survey_version (
    survey_id text COLLATE "C" NOT NULL,
    surveyed_on date NOT NULL,
    medium text,
    method text,
    surveyed_km double precision,
    district text,
    street_name text,
    segment_id text,
    owner text,
    remark text,
    geom geometry(MultiPolygon, 0),
    valid daterange NOT NULL DEFAULT '(,)',
    recorded tstzrange NOT NULL DEFAULT tstzrange(now(), NULL),
    delivery_id text NOT NULL DEFAULT current_setting('digonce.delivery'),
    CONSTRAINT survey_surveyed_km_is_between_0_and_100000 CHECK (surveyed_km BETWEEN 0 AND 100000),
    CONSTRAINT survey_says_where_or_how_far CHECK (
        geom IS NOT NULL OR segment_id IS NOT NULL OR street_name IS NOT NULL OR district IS NOT NULL
        OR surveyed_km IS NOT NULL
    ),
    CONSTRAINT survey_version_is_valid_for_some_time CHECK (NOT isempty(valid)),
    CONSTRAINT survey_version_was_known_for_some_time CHECK (NOT isempty(recorded)),
    CONSTRAINT survey_past_versions_do_not_overlap EXCLUDE USING gist (
        hashtextextended(survey_id, 0) WITH =, survey_id WITH =, valid WITH &&, recorded WITH &&
    ) WHERE (NOT (upper_inf(recorded) AND upper_inf(valid)))
);
CREATE UNIQUE INDEX survey_has_one_current_version ON registry.survey_version (survey_id)
    WHERE upper_inf(recorded) AND upper_inf(valid);
CREATE INDEX survey_version_lies_in_space ON registry.survey_version USING gist (geom);
ALTER TABLE registry.survey ENABLE ROW LEVEL SECURITY;
ALTER TABLE registry.survey_version ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.survey_version IS 'Versions of leak surveys: what was true (valid) and when it was known (recorded).';
COMMENT ON COLUMN registry.survey_version.survey_id IS '检测编号: Id given by the owner; the index of the frame.';
COMMENT ON COLUMN registry.survey_version.surveyed_on IS '检测日期: Day on which leaks were looked for; the first of several.';
COMMENT ON COLUMN registry.survey_version.medium IS '介质: What the pipes that were looked at carry; empty for all.';
COMMENT ON COLUMN registry.survey_version.method IS '检测方法: How leaks were looked for.';
COMMENT ON COLUMN registry.survey_version.surveyed_km IS '检测里程: Kilometres of pipe that were walked; empty for all that is named. [km]';
COMMENT ON COLUMN registry.survey_version.district IS '区划: Id or name of the district that was walked.';
COMMENT ON COLUMN registry.survey_version.street_name IS '道路或小区: Name of the street or compound that was walked.';
COMMENT ON COLUMN registry.survey_version.segment_id IS '管段编号: Segment that was walked.';
COMMENT ON COLUMN registry.survey_version.owner IS '权属单位: Company that answers for the survey.';
COMMENT ON COLUMN registry.survey_version.remark IS '备注: Free remark as delivered.';
COMMENT ON COLUMN registry.survey_version.geom IS '图形: Area that was walked; none where a district, street or segment is named instead. [m]';
COMMENT ON COLUMN registry.survey_version.valid IS 'Days for which this was true in the ground, half-open.';
COMMENT ON COLUMN registry.survey_version.recorded IS 'Instants for which this was what we knew, half-open.';
COMMENT ON COLUMN registry.survey_version.delivery_id IS 'Delivery that wrote this version.';

ALTER TABLE registry.run_batches ADD COLUMN due_year integer;
COMMENT ON COLUMN registry.run_batches.due_year IS '应改造截止年度: Year by which the law wants the first of its segments done; empty where it asks for none of these years. [year]';

CREATE TABLE registry.run_plan_reasons (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    reason text NOT NULL,
    year integer,
    best_year integer,
    value double precision,
    cost_cny double precision,
    worth_per_million double precision,
    price_per_million double precision,
    loss double precision,
    CONSTRAINT run_plan_reasons_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_plan_reasons_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_plan_reasons ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_plan_reasons IS 'Rows of the frame plan_reasons that a run made.';
COMMENT ON COLUMN registry.run_plan_reasons.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_plan_reasons.reason IS '原因: Why the plan renews it in its year or leaves it out.';
COMMENT ON COLUMN registry.run_plan_reasons.year IS '年度: Year in which it is renewed; empty where the plan leaves it out. [year]';
COMMENT ON COLUMN registry.run_plan_reasons.best_year IS '最宜年度: Its year in the plan or the year in which it would lose least; empty where no year is open to it. [year]';
COMMENT ON COLUMN registry.run_plan_reasons.value IS '效益: Discounted risk that its batch removes in that year.';
COMMENT ON COLUMN registry.run_plan_reasons.cost_cny IS '费用: Cost of its batch in that year. [CNY]';
COMMENT ON COLUMN registry.run_plan_reasons.worth_per_million IS '每百万元效益: What its batch removes per million yuan.';
COMMENT ON COLUMN registry.run_plan_reasons.price_per_million IS '资金影子价格: What a million yuan more would remove in that year.';
COMMENT ON COLUMN registry.run_plan_reasons.loss IS '强制纳入损失: What the plan would lose at least if the segment were forced in, by the proven bound.';

CREATE TABLE registry.run_late_work (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    policy_class text NOT NULL,
    length_m double precision NOT NULL,
    due_year integer NOT NULL,
    year integer,
    late_years integer NOT NULL,
    extra_cny double precision,
    extra_year integer,
    open_year integer,
    open_rules text,
    open_bans text,
    CONSTRAINT run_late_work_row_is_named_once PRIMARY KEY (run_id, segment_id),
    CONSTRAINT run_late_work_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_late_work ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_late_work IS 'Rows of the frame late_work that a run made.';
COMMENT ON COLUMN registry.run_late_work.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_late_work.policy_class IS '政策类别: What the law asks of it.';
COMMENT ON COLUMN registry.run_late_work.length_m IS '长度: Length of the segment. [m]';
COMMENT ON COLUMN registry.run_late_work.due_year IS '应改造截止年度: Year by which the law wants it done. [year]';
COMMENT ON COLUMN registry.run_late_work.year IS '年度: Year in which it is renewed; empty where the plan leaves it out. [year]';
COMMENT ON COLUMN registry.run_late_work.late_years IS '逾期年数: Years after the due year; work that is left out counts to the year after the last of the plan.';
COMMENT ON COLUMN registry.run_late_work.extra_cny IS '需增资金: Least money that alone would make it fit; empty where money alone does not help. [CNY]';
COMMENT ON COLUMN registry.run_late_work.extra_year IS '增资年度: Year in which that money would be needed. [year]';
COMMENT ON COLUMN registry.run_late_work.open_year IS '解禁可施工年度: Year in which it would fit but for bans and decisions; empty where there is none. [year]';
COMMENT ON COLUMN registry.run_late_work.open_rules IS '受限原因代码: Codes of what closes that year: ban, coming_ban, decision, joined by bars.';
COMMENT ON COLUMN registry.run_late_work.open_bans IS '需解除的禁掘记录: Ids of the bans that would all have to be lifted for it, joined by bars; empty where they are not known.';

CREATE TABLE registry.run_late_years (
    run_id text NOT NULL,
    segment_id text NOT NULL,
    year integer NOT NULL,
    rules text NOT NULL,
    missing_cny double precision,
    closed_until date,
    bans text,
    CONSTRAINT run_late_years_row_is_named_once PRIMARY KEY (run_id, segment_id, year),
    CONSTRAINT run_late_years_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_late_years ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_late_years IS 'Rows of the frame late_years that a run made.';
COMMENT ON COLUMN registry.run_late_years.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_late_years.year IS '年度: Year that was looked at. [year]';
COMMENT ON COLUMN registry.run_late_years.rules IS '受限原因代码: Codes of what keeps it out of the year, of the batch that the fewest keep out, joined by bars; unfound where nothing does.';
COMMENT ON COLUMN registry.run_late_years.missing_cny IS '资金缺口: Money that the year lacks for that batch beside the other work asked for by law; empty where money is not in its way. [CNY]';
COMMENT ON COLUMN registry.run_late_years.closed_until IS '禁掘截止日期: Last day of the bans that close the year; empty where none does or it is not said.';
COMMENT ON COLUMN registry.run_late_years.bans IS '禁掘记录: Ids of the bans that close the year, joined by bars; empty where none does or they are not known.';

CREATE TABLE registry.run_last_chances (
    run_id text NOT NULL,
    rank integer NOT NULL,
    segment_id text NOT NULL,
    project_id text NOT NULL,
    overlap_m double precision NOT NULL,
    relation text,
    plan_year integer,
    banned_from date NOT NULL,
    banned_until date,
    leaks_in_ban double precision NOT NULL,
    leak_probability double precision NOT NULL,
    leak_cost_cny double precision NOT NULL,
    lost_saving_cny double precision NOT NULL,
    price_cny double precision NOT NULL,
    CONSTRAINT run_last_chances_row_is_named_once PRIMARY KEY (run_id, segment_id, project_id),
    CONSTRAINT run_last_chances_belong_to_a_run FOREIGN KEY (run_id) REFERENCES registry.run (run_id) ON DELETE CASCADE
);
ALTER TABLE registry.run_last_chances ENABLE ROW LEVEL SECURITY;
COMMENT ON TABLE registry.run_last_chances IS 'Rows of the frame last_chances that a run made.';
COMMENT ON COLUMN registry.run_last_chances.rank IS '排序: Place by the price of missing it.';
COMMENT ON COLUMN registry.run_last_chances.segment_id IS '管段编号: Id of the row it belongs to.';
COMMENT ON COLUMN registry.run_last_chances.project_id IS '工程编号: Project that will close the road.';
COMMENT ON COLUMN registry.run_last_chances.overlap_m IS '重叠长度: Length of the segment inside the project. [m]';
COMMENT ON COLUMN registry.run_last_chances.relation IS '时间关系: How renewal and project stand to each other in time; empty where it was not asked.';
COMMENT ON COLUMN registry.run_last_chances.plan_year IS '计划年度: Year in which the plan renews it after the ban; empty where it leaves it out. [year]';
COMMENT ON COLUMN registry.run_last_chances.banned_from IS '禁掘起始日期: First day of the ban that the project will bring.';
COMMENT ON COLUMN registry.run_last_chances.banned_until IS '禁掘截止日期: Last day of that ban; empty where it is not said.';
COMMENT ON COLUMN registry.run_last_chances.leaks_in_ban IS '禁掘期内预期漏点数: Leaks to expect while the road is closed.';
COMMENT ON COLUMN registry.run_last_chances.leak_probability IS '禁掘期内漏气概率: Probability of at least one leak while the road is closed.';
COMMENT ON COLUMN registry.run_last_chances.leak_cost_cny IS '禁掘期内漏点费用: Repair, harm and the dearer dig of the leaks to expect in the ban. [CNY]';
COMMENT ON COLUMN registry.run_last_chances.lost_saving_cny IS '损失的同步节约: What going together with the project would save. [CNY]';
COMMENT ON COLUMN registry.run_last_chances.price_cny IS '错过代价: Cost of these leaks and the saving lost. [CNY]';

ALTER TABLE registry.run_batches ADD COLUMN stable_share double precision;
COMMENT ON COLUMN registry.run_batches.stable_share IS '稳定度: Share of the draws of risk in which its segments keep their year, by length; empty where the plan leaves it out or no draws were made.';
ALTER TABLE registry.run_batches ADD COLUMN kept_share double precision;
COMMENT ON COLUMN registry.run_batches.kept_share IS '保留度: Share of the draws of risk in which its segments stay in the plan, in any year, by length; empty where the plan leaves it out or no draws were made.';
