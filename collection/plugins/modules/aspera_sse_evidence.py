#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action aspera_sse_evidence, which runs modules on the host and writes on the controller."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: aspera_sse_evidence
short_description: Look at a host with info modules, and write evidence of it on the controller
version_added: 0.3.0
author:
  - The aspera-sse developers (@aspera_ops)
description:
  - Runs info modules of this collection on the host, and writes one JSON file about it on the controller. The playbook
    C(aspera_ops.sse.audit) uses it.
  - Does not fail because the host cannot be reached or a module fails. The evidence says so, and RV(state). Let a later
    task fail, when the folder of evidence is complete.
  - Nothing secret is written. C(docs/evidence.schema.json) of the collection describes the file.
options:
  looks:
    description: The modules that look, in their order.
    type: list
    elements: dict
    required: true
    suboptions:
      module:
        description: The name of an info module of this collection.
        type: str
        required: true
      options:
        description: Its options.
        type: dict
        default: {}
  evidence_dir:
    description:
      - A folder on the controller. C(hosts) in it has the file of each host, which takes the place of an older one.
      - Without it, the modules look, and nothing is written.
    type: path
  key_file:
    description:
      - The key on the controller for the sums of the configuration files. It is made if it does not exist. Each host
        gets a key of its own that is made from it.
      - By default C(aspera_ops.sse/evidence.key) below E(XDG_CONFIG_HOME), which is C(~/.config) where it is not set.
    type: path
  problems:
    description: Why the host cannot be looked at, as sentences. If there are any, nothing is run on it.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: In check mode, the modules look, and no file is written.
    support: full
  diff_mode:
    description: There is nothing to show a diff of.
    support: N/A
  platform:
    description: The operating systems that the modules look at.
    platforms: linux
    support: full
seealso:
  - module: aspera_ops.sse.aspera_sse_info
  - module: aspera_ops.sse.aspera_sse_manifest
"""

EXAMPLES = r"""
---
- name: Write evidence of the encryption of all uploads
  aspera_ops.sse.aspera_sse_evidence:
    evidence_dir: /srv/evidence/2026-11-27
    looks:
      - module: aspera_sse_info
        options:
          expect:
            - server_side_encryption: AWS_KMS
  register: evidence
"""

RETURN = r"""
---
state:
  description: V(looked), V(failed), V(unreachable) or V(skipped).
  returned: always
  type: str
  sample: looked
message:
  description: Why it is not V(looked). Null if it is.
  returned: always
  type: str
  sample: null
started_at:
  description: When the look began, in UTC.
  returned: always
  type: str
  sample: '2026-11-27T00:30:00Z'
path:
  description: The file that was written. Null if none was.
  returned: always
  type: str
  sample: /srv/evidence/2026-11-27/hosts/server.json
answers:
  description: What the modules returned, by their names. A module that failed is not in it.
  returned: always
  type: dict
  sample:
    aspera_sse_info:
      compliant: true
"""
