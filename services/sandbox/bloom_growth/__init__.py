"""A stand-in for the Bloom Growth REST API v1, written from bloom_growth.md.

The document names a scorecard's fields without their types; those are as ``bloomy-python`` 0.22.0 reads them, marked
[bloomy]. Marks in docstrings are the document's: [client], [docs], [docs:ref], [test:live], [assumed] and their like.
"""
