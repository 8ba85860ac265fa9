"""BlueConic: groups, profiles and timeline events through the REST API v2.

The facts are from blueconic.md, whose marks are repeated here: [spec] the vendor's OpenAPI definition, [docs] its help
centre, [client] published client code, [assumed] nobody says, our choice. Entries are made in ``entries`` and
``rules``, results read in ``results``, lost writes looked up in ``recovery``.

One request is one array of entries and its answer an array of results; entries fail one by one. §1, §3 [spec]

==================================  ===================================  =========================================
answer (§7)                         applied                              becomes
==================================  ===================================  =========================================
200 with an array                   entry by entry                       an outcome per item
413 with an array                   the first entries [spec]             their outcomes; the others ``retryable``
400, 422, any other 413             nothing [assumed]                    ``Refused``
401 twice, 403, 429, 503            nothing [assumed]                    ``Unavailable``
3xx, any other 4xx                  nothing [assumed]                    ``Misconfigured``
5xx, lost, no array                 unknown                              ``Ambiguous``
==================================  ===================================  =========================================
"""

from sluice.destinations.blueconic.destination import BlueConic
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Kind

KIND = Kind(BlueConicSettings, BlueConic)
