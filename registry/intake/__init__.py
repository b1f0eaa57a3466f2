"""One delivery, from the file as it was handed over to the registry."""
