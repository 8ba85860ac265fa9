"""Passwords, security tokens, and the limits of logins. salesforce_bulk.md §2.1."""

from sandbox.salesforce.settings import Settings
from tests.sandbox.salesforce.login.client import envelope, fault_of, post
from tests.sandbox.salesforce.orgs import Served, org


async def test_from_elsewhere_the_password_needs_its_token(salesforce: Served) -> None:
    assert await fault_of(salesforce, envelope(password="loader-password")) == "LOGIN_MUST_USE_SECURITY_TOKEN"


async def test_from_a_trusted_network_it_does_not() -> None:
    async with org(Settings(trusted_network=True)) as served:
        assert (await post(served, envelope(password="loader-password"))).status_code == 200


async def test_wrong_passwords_lock_the_user_out_for_a_while(salesforce: Served) -> None:
    for _ in range(10):
        assert await fault_of(salesforce, envelope(password="wrong")) == "INVALID_LOGIN"
    assert await fault_of(salesforce, envelope()) == "PASSWORD_LOCKOUT"
    await salesforce.control.advance(901)
    assert (await post(salesforce, envelope())).status_code == 200


async def test_logins_have_an_hourly_rate() -> None:
    async with org(Settings(max_logins_per_hour=1)) as served:
        assert (await post(served, envelope())).status_code == 200
        assert await fault_of(served, envelope()) == "LOGIN_RATE_EXCEEDED"
        await served.control.advance(3660)
        assert (await post(served, envelope())).status_code == 200
