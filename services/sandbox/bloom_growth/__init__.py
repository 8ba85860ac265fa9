"""A stand-in for the Bloom Growth REST API v1, written from bloom_growth.md and from nothing else.

Marks in docstrings are the document's: [client], [docs], [docs:ref], [test:live], [assumed] and their like.
"""
