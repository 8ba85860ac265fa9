"""Bulk API 1.0, ``/services/async``, written from salesforce_bulk.md §3 and from nothing else.

Marks in docstrings are those of the document: [docs], [client X], [assumed].
"""
