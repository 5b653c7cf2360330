# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the compiled module aspera_access_keys_info."""

from __future__ import annotations

from ansible_collections.aspera_ops.sse.plugins.plugin_utils.compiled_module import CompiledModuleAction


class ActionModule(CompiledModuleAction):
    """Runs the compiled module aspera_access_keys_info."""

    MODULE = "aspera_access_keys_info"
