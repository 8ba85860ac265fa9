"""Errors in each of their shapes."""

import httpx
import pytest

from sluice.destinations.salesforce.vendor_errors import VendorError, read_error

REQUEST = httpx.Request("GET", "https://acme.test/x", headers={"x-sfdc-session": "00D!s3cret"})
XML = """<?xml version="1.0" encoding="UTF-8"?><error
   xmlns="http://www.force.com/2009/06/asyncapi/dataload">
 <exceptionCode>InvalidBatch</exceptionCode>
 <exceptionMessage>Records not processed</exceptionMessage>
</error>"""


def read(content: str | bytes, status: int = 400) -> VendorError | None:
    return read_error(httpx.Response(status, content=content, request=REQUEST))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(XML, ("InvalidBatch", "Records not processed"), id="§3.11 XML"),
        pytest.param(
            '{"exceptionCode": "InvalidJob", "exceptionMessage": "no"}', ("InvalidJob", "no"), id="§3.11 JSON"
        ),
        pytest.param('[{"errorCode": "NOT_FOUND", "message": "none"}]', ("NOT_FOUND", "none"), id="§4.3 JSON array"),
        pytest.param('{"error": "invalid_grant", "error_description": "no"}', ("invalid_grant", "no"), id="§2.3 token"),
        pytest.param("\n" + XML, ("InvalidBatch", "Records not processed"), id="a line before the XML"),
        pytest.param('[{"errorCode": "X"}]', ("X", "no message"), id="no message"),
    ],
)
def test_each_shape_is_read(content: str, expected: tuple[str, str]) -> None:
    assert read(content) == expected


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<html><body>Down for Maintenance</body></html>",
        "<error/>",
        "[]",
        "[1]",
        "7",
        "{",
        "[" * 5000,
        '{"exceptionCode": 7}',
        '{"code": 400}',
        b"\xff\xfe",
    ],
)
def test_another_shape_is_nobodys_error(content: str | bytes) -> None:
    assert read(content) is None


def test_a_success_is_no_error() -> None:
    assert read('[{"errorCode": "X", "message": "none"}]', 200) is None


def test_a_code_is_known_however_it_is_spelt() -> None:
    for code in ("InvalidSessionId", "INVALID_SESSION_ID", "INVALIDSESSIONID"):
        assert VendorError(code, "").has_code("InvalidSessionId")
    assert not VendorError("InvalidSession", "").has_code("InvalidSessionId", "InvalidJob")


def test_a_message_does_not_repeat_the_session() -> None:
    error = read('[{"errorCode": "X", "message": "session 00D!s3cret is over"}]')
    assert error == ("X", "session *** is over")
