"""Settings of the login: four flows, told apart by ``flow``. salesforce_bulk.md §2

All of them are asked at ``url``: login.salesforce.com, test.salesforce.com or the org's own My Domain; client
credentials at My Domain only. §2.1, §2.3 [docs]
"""

from typing import Annotated

import msgspec
from msgspec import Meta

from sluice.setting_types import Frozen, Secret

Name = Annotated[str, Meta(min_length=1)]
NO_TOKEN: Secret = msgspec.field(default_factory=lambda: Secret(""))
"""A default that stays out of the schema of the settings file, which has no form for secrets."""


class SoapLogin(Frozen, frozen=True, tag_field="flow", tag="soap"):
    """The partner API's ``login()``; off by default in orgs made from Winter '26 on. §1, §2.1 [docs]"""

    username: Name
    password: Secret
    security_token: Secret = NO_TOKEN
    """Needed outside of trusted networks. §2.1 [docs]"""
    version: Annotated[
        str, Meta(pattern=r"^(3[1-9]|[45][0-9]|6[0-4])\.0$", description="API version of the login, 31.0 to 64.0")
    ] = "59.0"
    """64.0 is the last that has ``login()``; data calls may use a newer version. §1 [docs] [client Data Loader]"""


class ClientCredentialsLogin(Frozen, frozen=True, tag_field="flow", tag="client_credentials"):
    """An OAuth app that acts as the user it is configured with. §2.3 [docs]"""

    client_id: Name
    client_secret: Secret


class JwtLogin(Frozen, frozen=True, tag_field="flow", tag="jwt"):
    """An OAuth app that signs an assertion for a user who has approved it. §2.3 [docs]"""

    client_id: Name
    username: Name
    private_key: Annotated[
        Secret, Meta(description="RSA key in PEM, whose certificate the app knows; use ${file:path}")
    ]
    audience: Annotated[
        str, Meta(pattern="^https://[^/]+", description="https://test.salesforce.com for a sandbox")
    ] = "https://login.salesforce.com"


class PasswordLogin(Frozen, frozen=True, tag_field="flow", tag="password"):
    """An OAuth app with a user's password. On its way out: off in new orgs, gone from February 2027 on. §2.3 [docs]"""

    client_id: Name
    client_secret: Secret
    username: Name
    password: Secret
    security_token: Secret = NO_TOKEN


Login = SoapLogin | ClientCredentialsLogin | JwtLogin | PasswordLogin
