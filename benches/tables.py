"""Tables in Markdown."""

from __future__ import annotations


def table(head: list[str], rows: list[list[str]]) -> str:
    """Give a table with the first column to the left and all others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def milliseconds(seconds: float) -> str:
    """Give a time as people read it."""
    return f"{seconds * 1000:.1f} ms" if seconds < 10 else f"{seconds:.0f} s"


def megabytes(count: float) -> str:
    """Give an amount of memory as people read it."""
    return f"{count / 1e6:.1f} MB"


def times(ratio: float) -> str:
    """Give a ratio as people read it."""
    return f"{ratio:.0f} times" if ratio >= 10 else f"{ratio:.1f} times"
