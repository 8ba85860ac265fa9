"""The writer process: windows, delivery, lanes and their ledgers."""
