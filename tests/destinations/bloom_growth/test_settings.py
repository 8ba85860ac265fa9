"""Settings of a user."""

from typing import Any

import pytest

from sluice.destinations.bloom_growth.settings import BloomGrowthSettings
from sluice.setting_types import Secret

URL = "https://app.bloomgrowth.com"
PASSWORD = {"user_name": "a@example.com", "password": Secret("s")}


def test_defaults_are_the_documents() -> None:
    settings = BloomGrowthSettings(url=f"{URL}/api/v1/", api_key=Secret("key"))
    assert (settings.host, settings.timeout_s, settings.settle_s, settings.max_concurrent) == (URL, 30.0, 130.0, 5)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        pytest.param({}, "either `user_name` and `password`, or `api_key`", id="no login"),
        pytest.param({**PASSWORD, "api_key": Secret("k")}, "either", id="two logins"),
        pytest.param({"password": Secret("s")}, "together", id="nobody's password"),
        pytest.param({"api_key": Secret("k"), "user_name": "a"}, "together", id="a name without a password"),
        pytest.param({"api_key": Secret("k"), "token_path": "t"}, "no `token_path`", id="a file for an api key"),
    ],
)
def test_a_login_is_named_in_one_way(named: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        BloomGrowthSettings(url=URL, **named)


def test_secrets_are_not_printed() -> None:
    assert "s3cret" not in repr(BloomGrowthSettings(url=URL, user_name="a", password=Secret("s3cret")))
