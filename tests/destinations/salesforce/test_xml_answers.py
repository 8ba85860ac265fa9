"""XML of answers: read without prefixes, refused where it could do harm."""

import pytest

from sluice.destinations.salesforce.xml_answers import MAX_DEPTH, parse_xml

LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))


def test_elements_are_found_by_their_name_without_a_prefix() -> None:
    root = parse_xml(b'<?xml version="1.0"?><a:one xmlns:a="urn:x"><two> &lt;2&gt; </two><a:two>3</a:two></a:one>')
    assert (root.name, root.text_of("two"), root.text_of("four"), root.find("four")) == ("one", "<2>", "", None)
    assert [child.text for child in root.children] == [" <2> ", "3"]


def test_a_prefix_that_nothing_declares_is_taken() -> None:
    assert parse_xml(b"<sf:error><sf:code>X</sf:code></sf:error>").texts() == {"code": "X"}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"<a>", id="an open element"),
        pytest.param(b"<a></a><b></b>", id="two roots"),
        pytest.param(b"{}", id="json"),
        pytest.param(b"<a>\xff</a>", id="not UTF-8"),
        pytest.param(b'<?xml version="1.0" encoding="klingon"?><a/>', id="an unknown encoding"),
        pytest.param(b"<!DOCTYPE a><a/>", id="a document type"),
        pytest.param(b'<!DOCTYPE a [<!ENTITY l0 "ha">' + LAUGHS + b"]><a>&l9;</a>", id="a billion laughs"),
        pytest.param(b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', id="an external entity"),
        pytest.param(b"<a>&x;</a>", id="an entity that nothing declares"),
        pytest.param(b"<a>" * (MAX_DEPTH + 1) + b"</a>" * (MAX_DEPTH + 1), id="too deep"),
    ],
)
def test_what_is_no_plain_xml_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="expected XML"):
        parse_xml(content)
