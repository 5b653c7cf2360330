#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action aspera_sse_variables, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: aspera_sse_variables
short_description: Check the variables of the role aspera_sse and convert them to their types
version_added: 0.2.0
author:
  - The aspera-sse developers (@aspera_ops)
description:
  - The role and the playbooks of this collection begin with it. It runs on the controller and connects to no host.
  - Finds variables whose names are misspelt, values that cannot be converted to the type of their variable,
    and placeholders of examples.
  - Warns about other variables whose names begin with C(aspera_sse_).
options:
  variables:
    description:
      - The names of the variables to convert. The default is all variables of the role.
      - Names are checked of all variables that begin with C(aspera_sse_).
    type: list
    elements: str
  settings_required:
    description: Whether it is a problem that neither C(aspera_sse_system) nor C(aspera_sse_docroots) asks for anything.
    type: bool
    default: false
attributes:
  check_mode:
    description: Can run in check mode, for it changes nothing.
    support: full
  diff_mode:
    description: There is nothing to show a diff of.
    support: N/A
  platform:
    description: The operating systems of the hosts. Nothing runs there.
    platforms: all
    support: full
notes:
  - The task does not fail by itself. The result holds the values of the variables, so that a task with O(variables)
    that hold secrets needs C(no_log=true), under which a failure would not be shown. Let another task fail by
    RV(problems).
seealso:
  - module: aspera_ops.sse.aspera_sse_info
"""

EXAMPLES = r"""
---
- name: Check and convert the variables
  aspera_ops.sse.aspera_sse_variables:
    variables:
      - aspera_sse_root
  register: variables
  failed_when: variables.problems | length > 0
"""

RETURN = r"""
---
converted:
  description: The values of the variables that are set and have no problem, by the names of the variables.
  returned: always
  type: dict
  sample:
    aspera_sse_root: /opt/aspera
    aspera_sse_restart: false
expect:
  description:
    - The value for the option C(expect) of M(aspera_ops.sse.aspera_sse_info) to verify that a host has the settings in
      C(aspera_sse_system) and C(aspera_sse_docroots). Empty if there is a problem.
  returned: always
  type: list
  elements: dict
  sample:
    - server_side_encryption: AWS_KMS
      scopes:
        - user acme
problems:
  description: What is wrong with the variables, as sentences. They hold no values.
  returned: always
  type: list
  elements: str
  sample: []
"""
