UPDATE incoming
SET valid = daterange(CASE WHEN retired_on <= %(valid_from)s::date THEN NULL ELSE %(valid_from)s::date END, retired_on)
WHERE retired_on IS NOT NULL OR %(valid_from)s::date IS NOT NULL
