"""Settings of the login: each flow by its name, and what is wrong with it in one sentence."""

from typing import Any

import pytest

from sluice.destinations.salesforce.login_settings import (
    ClientCredentialsLogin,
    JwtLogin,
    Login,
    PasswordLogin,
    SoapLogin,
)
from sluice.setting_types import Frozen, Secret
from sluice.settings_file import SettingsError, check_keys, convert

SECRET = "s3cret-of-the-user"
SOAP = {"flow": "soap", "username": "loader@example.com", "password": SECRET}


class Account(Frozen, frozen=True):
    """A block that has a login."""

    login: Login


def read(login: dict[str, Any]) -> Login:
    check_keys({"login": login}, Account, "sluice.yaml")
    return convert({"login": login}, Account, "sluice.yaml").login


@pytest.mark.parametrize(
    ("flow", "type_"),
    [
        pytest.param({"flow": "soap"}, SoapLogin, id="soap"),
        pytest.param({"flow": "client_credentials"}, ClientCredentialsLogin, id="client credentials"),
        pytest.param({"flow": "jwt"}, JwtLogin, id="jwt"),
        pytest.param({"flow": "password"}, PasswordLogin, id="password"),
    ],
)
def test_a_flow_is_chosen_by_its_name(flow: dict[str, str], type_: type) -> None:
    values = {
        "username": "loader@example.com",
        "password": SECRET,
        "client_id": "key",
        "client_secret": SECRET,
        "private_key": SECRET,
    }
    needed = {name: value for name, value in values.items() if name in type_.__annotations__}
    login = read({**flow, **needed})
    assert type(login) is type_
    assert SECRET not in repr(login)


def test_what_is_left_out_has_its_default() -> None:
    assert read(SOAP) == SoapLogin(
        username="loader@example.com", password=Secret(SECRET), security_token=Secret(""), version="59.0"
    )


@pytest.mark.parametrize("version", ["31.0", "49.0", "64.0"])
def test_a_version_that_has_the_login_is_taken(version: str) -> None:
    assert read({**SOAP, "version": version})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({"version": "65.0"}, "login.version", id="a version without login"),
        pytest.param({"version": "30.0"}, "login.version", id="a retired version"),
        pytest.param({"version": "v59.0"}, "login.version", id="a version with a letter"),
        pytest.param({"flow": "saml"}, "saml", id="an unknown flow"),
        pytest.param({"username": ""}, "login.username", id="an empty name"),
        pytest.param({"pasword": "x"}, "did you mean `password`", id="an unknown key"),
        pytest.param({"client_id": "x"}, "unknown key `login.client_id`", id="a key of another flow"),
    ],
)
def test_a_bad_login_is_refused_without_its_secret(change: dict[str, str], expected: str) -> None:
    with pytest.raises(SettingsError, match=expected) as error:
        read({**SOAP, **change})
    assert SECRET not in str(error.value)
