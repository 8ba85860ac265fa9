"""Logins: SOAP ``login()`` and the OAuth token endpoint. salesforce_bulk.md §2."""
