"""Bulk API 2.0: ``/services/data/vNN.0/jobs``. salesforce_bulk.md §4."""
