"""Liquid Decisions: items of a community, written by the items API or by import jobs.

A record event becomes an item (``items``). A batch of items is one upsert, which names those that it rejects
(``upserts``, ``rejects``), or the file of an import job, which tells one number alone (``imports``): what became of its
items is seen in the feed of changes (``feed``, ``comparison``).

A bare ``§`` in this folder means liquid_decisions.md, whose marks are repeated: [docs] the vendor's wiki, [client] its
published code, [assumed] nobody says, our choice. D, R-L and X are rows of rules_bloom_liquid_reads.md.
"""

from sluice.destinations.contract import Kind
from sluice.destinations.liquid_decisions.destination import LiquidDecisions
from sluice.destinations.liquid_decisions.settings import LiquidDecisionsSettings

KIND = Kind(LiquidDecisionsSettings, LiquidDecisions)
