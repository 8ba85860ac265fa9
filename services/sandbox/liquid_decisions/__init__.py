"""Stand-in for the Liquid Decisions REST API, written from liquid_decisions.md and from nothing else.

Marks in docstrings are those of the document: [docs], [client], [assumed].
"""
