"""Endpoints of liquid_decisions.md §1 as data: the routes are made from this table."""

from typing import NamedTuple

BASE = "/ls/api"
UPSERT = f"{BASE}/items/upsert"
IMPORT = f"{BASE}/batch/import"
EXPORT = f"{BASE}/batch/export"
FILES = "/ls/exports"
"""Path of export links. §10: no path is documented [assumed]"""


class Endpoint(NamedTuple):
    """One row: a method and path, and its operation."""

    method: str
    path: str
    operation: str


ENDPOINTS = (
    Endpoint("POST", f"{BASE}/oauth2/token", "token"),
    Endpoint("GET", f"{BASE}/oauth2/validate", "validate"),
    Endpoint("POST", f"{BASE}/oauth2/tokenInfo", "tokenInfo"),
    Endpoint("POST", f"{BASE}/oauth2/setCommunity", "setCommunity"),
    Endpoint("POST", f"{BASE}/oauth2/setProperties", "setProperties"),
    Endpoint("POST", IMPORT, "import"),
    Endpoint("POST", EXPORT, "export"),
    Endpoint("POST", f"{BASE}/batch/status", "status"),
    Endpoint("POST", f"{BASE}/batch/cancel", "cancel"),
    Endpoint("POST", UPSERT, "upsert"),
    Endpoint("POST", f"{BASE}/items/updates", "updates"),
    Endpoint("POST", f"{BASE}/data/sqlQuery", "sqlQuery"),
    Endpoint("GET", f"{FILES}/{{file}}", "download"),
)
