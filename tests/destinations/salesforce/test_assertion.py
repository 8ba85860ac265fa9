"""Assertions of the JWT bearer flow, read by somebody else's library."""

import jwt
import pytest

from sluice.destinations.contract import Misconfigured
from sluice.destinations.salesforce.assertion import read_key, sign
from sluice.destinations.salesforce.login_settings import JwtLogin
from sluice.setting_types import Secret
from tests.destinations.salesforce.keys import KEYS, make_other_key

LOGIN = JwtLogin(client_id="key", username="loader@example.com", private_key=Secret(KEYS.private))


def test_an_assertion_is_signed_and_lasts_for_two_minutes() -> None:
    assertion = sign(LOGIN, read_key(LOGIN.private_key), 1_800_000_000.7)
    claims = jwt.decode(
        assertion,
        KEYS.public,
        algorithms=["RS256"],
        audience="https://login.salesforce.com",
        options={"verify_exp": False},
    )
    assert claims == {
        "iss": "key",
        "sub": "loader@example.com",
        "aud": "https://login.salesforce.com",
        "exp": 1_800_000_120,
    }


@pytest.mark.parametrize(
    "private_key",
    [
        pytest.param("s3cret", id="no PEM"),
        pytest.param(KEYS.private[:200], id="half a PEM"),
        pytest.param(KEYS.public, id="the other half of the pair"),
        pytest.param(make_other_key(), id="no RSA key"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_and_not_shown(private_key: str) -> None:
    with pytest.raises(
        Misconfigured, match=r"expected an RSA key in PEM without a password at `login.private_key`"
    ) as e:
        read_key(Secret(private_key))
    assert e.value.__cause__ is None
    assert not private_key or private_key not in str(e.value)
