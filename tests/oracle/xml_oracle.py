"""Reads XML documents that come on standard input with lxml and answers with what is in each.

A document is its length (four bytes, big endian) and its bytes. The answer is a line of JSON: null if lxml refuses
the document, else a list of its elements in order, each with its path, its attributes and the text directly in it.
"""

import json
import struct
import sys

from lxml import etree


def main() -> None:
    """Answer until the input ends."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    while header := sys.stdin.buffer.read(4):
        document = sys.stdin.buffer.read(struct.unpack(">I", header)[0])
        try:
            answer = elements(etree.fromstring(document, parser))
        except (etree.XMLSyntaxError, ValueError):
            answer = None
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def elements(root: etree._Element) -> list[tuple[str, list[tuple[str, str]], str]]:
    """List an element and all in it."""
    found = []
    stack = [(root, "")]
    while stack:
        element, above = stack.pop()
        path = f"{above}/{element.tag}"
        text = (element.text or "") + "".join(child.tail or "" for child in element)
        found.append((path, sorted(element.attrib.items()), text))
        children = [child for child in element if isinstance(child.tag, str)]
        stack.extend((child, path) for child in reversed(children))
    return found


if __name__ == "__main__":
    main()
