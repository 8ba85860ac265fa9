"""An address of a vendor that nothing can be sent to is refused when the settings are read."""

import msgspec
import pytest

from sluice.destinations.settings import DestinationSettings


@pytest.mark.parametrize(
    "url", ["http://localhost:8080", "https://acme.example.com/base/", "http://[::1]:80", "http://é.eu"]
)
def test_addresses_of_vendors_are_taken(url: str) -> None:
    assert DestinationSettings(url=url).url == url


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        pytest.param("http://a b", "got 'http://a b'", id="a host with a space"),
        pytest.param("http://acme:99999", "got 'http://acme:99999'", id="a port out of range"),
        pytest.param("http://acme:0", "got 'http://acme:0'", id="port 0"),
        pytest.param("http://acme:abc", "got Invalid port: 'abc'", id="a word for a port"),
        pytest.param("http://:80", "got 'http://:80'", id="no host"),
        pytest.param("http://[::1", "got Invalid port", id="half an IPv6 address"),
        pytest.param("http://é..x", "got Invalid IDNA hostname", id="a host with an empty part"),
        pytest.param("http://acme\n", "got Invalid non-printable", id="a line end"),
        pytest.param("http://me:secret@acme", "expected no user or password at `url`", id="a password"),
    ],
)
def test_other_addresses_are_refused(url: str, sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({"url": url, "kind": "DestinationSettings"}, DestinationSettings)
    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)
