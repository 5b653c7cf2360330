# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes text that a host wrote safe to show on the terminal of the controller."""

from __future__ import annotations

#: Characters shown at most where a name or a line is expected.
LINE_LIMIT = 200
#: Characters shown at most of what a program printed.
OUTPUT_LIMIT = 4000


def safe_text(text: str) -> str:
    """Escape whatever a terminal could take for a command, and whatever cannot be encoded. Lines and tabs stay."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else _escaped(one) for one in text)


def safe_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Show text on one line, in ASCII, cut at a limit."""
    cut = text[: limit + 1].encode("unicode_escape").decode("ascii")
    return cut if len(cut) <= limit else cut[: limit - 3] + "..."


def safe_output(text: str) -> str:
    """Show the beginning of what a program printed."""
    left = len(text) - OUTPUT_LIMIT
    return safe_text(text[:OUTPUT_LIMIT]) + (f"... ({left} more characters)" if left > 0 else "")


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
