# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How deeply objects and lists are nested: what can be read may be too deep to be written again."""

from __future__ import annotations

import typing as t

#: More than what any module answers.
DEPTH_LIMIT = 100


def is_nested_deeper(value: t.Any, levels: int) -> bool:
    """Go down level by level: a function that calls itself would end where Python's own limit is."""
    level: list[t.Any] = [value]
    depth = 0
    while level and depth < levels:
        inner = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for several in inner for one in several if isinstance(one, (dict, list))]
        depth += 1
    return bool(level)
