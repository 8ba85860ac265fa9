"""``sluice publish``: record events from files and pipes."""
