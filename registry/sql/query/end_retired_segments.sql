UPDATE registry.segment_version
SET valid = daterange(lower(valid), retired_on)
WHERE delivery_id = current_setting('digonce.delivery')
  AND retired_on IS NOT NULL AND upper_inf(valid) AND upper_inf(recorded)
  AND (lower_inf(valid) OR lower(valid) < retired_on)
