"""Salesforce: Bulk API 1.0 and 2.0.

A bare ``§`` in this folder means salesforce_bulk.md, whose marks are repeated: [docs] the vendor's documentation,
[client] published client code, [issue] a public report, [assumed] nobody says, our choice.
"""
