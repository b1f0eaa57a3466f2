-- whatever counts since has a later version: then the rows are to be compared anew
SELECT EXISTS (
    SELECT FROM registry.waiting_part AS w
    WHERE w.delivery_id = %(delivery_id)s AND w.part_name = 'rows' AND w.column_names = %(columns)s
      AND NOT EXISTS (
          SELECT FROM registry.delivery AS d WHERE d.applied_at IS NOT NULL AND d.registry_version > w.compared_at
      )
)
