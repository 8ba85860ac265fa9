"""BlueConic: groups, profiles and timeline events through the REST API v2.

A record event becomes an entry (``entries`` and the file of its object, with ``rules`` for its properties); a batch of
entries is one request (``destination``), whose results become outcomes (``results``); a lost answer is looked up
(``recovery``).

A bare ``§`` in this folder means blueconic.md, whose marks are repeated: [spec] the vendor's OpenAPI definition, [docs]
its help centre, [client] published client code, [assumed] nobody says, our choice.
"""

from sluice.destinations.blueconic.destination import BlueConic
from sluice.destinations.blueconic.settings import BlueConicSettings
from sluice.destinations.contract import Kind

KIND = Kind(BlueConicSettings, BlueConic)
