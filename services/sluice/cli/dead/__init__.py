"""``sluice dead``: count, list, show and redrive dead letters."""
