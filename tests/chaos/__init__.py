"""Does harm to writers that deliver for real, then audits what came of it: ``python -m tests.chaos``."""
