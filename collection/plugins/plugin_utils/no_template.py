# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks what a host says as text that is no template.

Ansible evaluates templates in variables, and an answer becomes one by `register`. Up to ansible-core 2.18, each text
has to be marked as unsafe. From 2.19 on, only text that is marked as trusted is a template, and text out of JSON is
not. There, the marking would take a sixth of the time of a task with a large answer, and it goes with 2.23.
"""

from __future__ import annotations

import typing as t

import ansible.template

Value = t.TypeVar("Value")

#: ansible-core 2.19 and newer.
ONLY_MARKED_TEXT_IS_A_TEMPLATE = hasattr(ansible.template, "trust_as_template")


def no_template(value: Value) -> Value:
    """Return a value of which no text is a template."""
    if ONLY_MARKED_TEXT_IS_A_TEMPLATE:
        return value
    from ansible.utils.unsafe_proxy import wrap_var

    wrapped: Value = wrap_var(value)
    return wrapped
