"""How a session begins: SOAP `login()` and the OAuth token endpoint. salesforce_bulk.md §2."""
