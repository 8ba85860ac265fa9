"""XML of the vendor's answers, read without what makes XML dangerous.

A document type is refused whole, and with it every entity but the five of XML itself: ten lines of entities unpack to
gigabytes, and an external one reads files. The vendor's answers have none.
"""

from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate

MAX_DEPTH = 50
"""Levels of elements. The deepest answer that is read has six."""


class Element:
    """One element: its name without a prefix, its own text, and the elements in it."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = ""
        self.children: list[Element] = []

    def find(self, name: str) -> "Element | None":
        """Return the first element called ``name``, of any depth."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            if element.name == name:
                return element
            waiting += reversed(element.children)
        return None

    def text_of(self, name: str) -> str:
        """Return the text of the first element called ``name``, without blanks around it; empty if there is none."""
        found = self.find(name)
        return "" if found is None else found.text.strip()

    def texts(self) -> dict[str, str]:
        """Return the text of each child by its name."""
        return {child.name: child.text.strip() for child in self.children}


def parse_xml(content: bytes) -> Element:
    """Return the root element of ``content``. Raises ``ValueError`` for what is no XML, or has a document type."""
    builder, parser = _Builder(), ParserCreate()
    # The parser refers to the builder, and nothing refers to the parser: it holds ten times the content, and in a cycle
    # that would wait for the garbage collector, which runs once in many minutes.
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.add_text
    try:
        parser.Parse(content, True)
    except (ExpatError, LookupError) as error:  # the latter for an unknown encoding
        raise ValueError(f"expected XML: {error}") from None
    return builder.root.children[0]


class _Builder:
    """A tree in the making."""

    def __init__(self) -> None:
        self.root = Element("")
        self._open = [self.root]

    def refuse(self, *_: object) -> NoReturn:
        raise ValueError("expected XML without a document type")

    def start(self, name: str, _: dict[str, str]) -> None:
        if len(self._open) > MAX_DEPTH:
            raise ValueError(f"expected XML of at most {MAX_DEPTH} levels")
        element = Element(name.rpartition(":")[2])
        self._open[-1].children.append(element)
        self._open.append(element)

    def end(self, _: str) -> None:
        self._open.pop()

    def add_text(self, text: str) -> None:
        self._open[-1].text += text
