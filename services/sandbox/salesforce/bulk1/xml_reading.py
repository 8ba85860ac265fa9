"""XML requests, through lxml: no entities, no DTD, no network; the caller bounds the size, libxml2 the depth (256)."""

from typing import Any

from lxml import etree

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
"""Namespace of every XML root. §3.1 [docs]"""
XSI = "http://www.w3.org/2001/XMLSchema-instance"
NIL = f"{{{XSI}}}nil"


class NotXml(ValueError):
    """XML that is not well-formed or has a document type declaration."""


def read_xml(body: bytes) -> Any:
    """Return the root element. White space before the declaration is taken. §3.3 [client sfbulkapi]"""
    try:
        parser = etree.XMLParser(
            resolve_entities=False,
            load_dtd=False,
            no_network=True,
            huge_tree=False,
            remove_comments=True,
            remove_pis=True,
        )
        root = etree.fromstring(body.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotXml(str(error)) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotXml("a document type declaration is not allowed")
    return root


def local_name(element: Any) -> str | None:
    """Return the element's name when it is in the Bulk namespace, whatever its prefix."""
    name = etree.QName(element)
    return name.localname if name.namespace == NAMESPACE else None


def text_of(element: Any) -> str | None:
    """Return the text of an element without children; null for ``xsi:nil``."""
    if element.get(NIL) in ("true", "1"):
        return None
    return element.text or ""
