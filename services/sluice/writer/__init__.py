"""The writer process: reads records, batches them, sends the batches, and commits a receipt for each record.

``docs/architecture.md`` follows one record through it, file by file.
"""
