#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action aspera_sse_manifest, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: aspera_sse_manifest
short_description: Write the sums of all evidence in a folder, and sign them
version_added: 0.3.0
author:
  - The aspera-sse developers (@aspera_ops)
description:
  - Ends a run that wrote evidence. It runs on the controller and connects to no host. The playbook
    C(aspera_ops.sse.audit) uses it.
  - Writes C(SHA256SUMS) in the folder, which C(sha256sum --check) reads. The sums are those of what was written, not of
    what is found. So a file that somebody has changed, removed or added does not fit, before and after another run.
options:
  evidence_dir:
    description: The folder on the controller.
    type: path
    required: true
  signing_key:
    description:
      - A private key of OpenSSH without a passphrase, or a public key whose private key is in the agent. With it,
        C(SHA256SUMS.sig) is the signature of C(SHA256SUMS), by C(ssh-keygen -Y sign -n aspera-sse-evidence).
      - If the folder has files of earlier runs, their sums must be signed with the same key already.
    type: path
  skipped:
    description:
      - The hosts of the run that were not looked at. Those of which nothing was written get a file that says so.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: In check mode, nothing is written.
    support: full
  diff_mode:
    description: There is nothing to show a diff of.
    support: N/A
  platform:
    description: The operating systems of the hosts. Nothing runs there.
    platforms: all
    support: full
seealso:
  - module: aspera_ops.sse.aspera_sse_evidence
"""

EXAMPLES = r"""
---
- name: Write the sums of all evidence
  aspera_ops.sse.aspera_sse_manifest:
    evidence_dir: /srv/evidence/2026-11-27
  run_once: true
"""

RETURN = r"""
---
files:
  description: The number of files with a sum.
  returned: always
  type: int
  sample: 20
"""
