"""A stand-in for Salesforce: login, Bulk API 1.0 and 2.0, written from salesforce_bulk.md and from nothing else.

Marks in docstrings are the document's: [docs], [client X], [assumed].
"""
