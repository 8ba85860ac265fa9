"""Bloom Growth: issues, todos, goals, meetings, headlines and scores through the REST API v1.

The vendor has no bulk endpoint: each record takes a call or a few. A record event becomes work (``records``, with
``shapes`` for the fields of its object), which ``destination`` has done: by ``creates``, ``changes``, ``meetings``,
``deletes``, ``scores`` and ``upserts``, through ``api``, which judges each answer. After a lost answer of a create
``recovery`` lists what is there, and ``verdicts`` accepts only a proof, or a mark in notes (``marks``).

A bare ``§`` in this folder means bloom_growth.md, whose marks are repeated: [client] a published client's source,
[docs] its guides and the vendor's help, [docs:ref] the vendor's reference, [test:live] tests against the service,
[assumed] nobody says, our choice. What is assumed in numbers stands in ``assumptions``.
"""

from sluice.destinations.bloom_growth.destination import BloomGrowth
from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.destinations.contract import Kind

KIND = Kind(BloomGrowthSettings, BloomGrowth)
