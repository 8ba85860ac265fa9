"""From windows to outcomes: dispatch batches, send each until every fate is known."""
