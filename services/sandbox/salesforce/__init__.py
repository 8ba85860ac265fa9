"""Stand-in for Salesforce: login, Bulk API 1.0 and 2.0, REST queries, written from salesforce_bulk.md.

Marks in docstrings are those of the document: [docs], [client X], [assumed].
"""
