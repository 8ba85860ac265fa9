"""A stand-in for the BlueConic REST API v2, written from blueconic.md alone.

Marks in docstrings are the document's: [spec], [docs], [client], [assumed].
"""
