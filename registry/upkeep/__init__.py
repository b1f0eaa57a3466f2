"""The upkeep of a registry: back it up, bring it back, check it, move it to another PostgreSQL."""
