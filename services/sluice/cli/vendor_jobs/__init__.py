"""``sluice vendor-jobs``: one file for each command, or for commands that work alike."""
