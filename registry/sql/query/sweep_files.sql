-- left by imports that were cut off after their file and before their rows
DELETE FROM registry.delivered_file AS f
WHERE f.file_sha256 <> %s AND NOT EXISTS (SELECT FROM registry.delivery AS d WHERE d.file_sha256 = f.file_sha256)
