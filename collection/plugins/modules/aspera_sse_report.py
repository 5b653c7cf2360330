#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action aspera_sse_report, which runs on the controller alone."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: aspera_sse_report
short_description: Make a page, a table and a file for programs from the evidence of audits
version_added: 0.3.0
author:
  - The aspera-sse developers (@aspera_ops)
description:
  - Joins the evidence that the playbook C(aspera_ops.sse.audit) wrote to one or more folders, judges each host by it,
    and writes C(report.html), C(report.csv) and C(report.json). It runs on the controller and connects to no host. The
    playbook C(aspera_ops.sse.report) uses it.
  - Evidence counts if it is as C(SHA256SUMS) of its folder says. Of a file that was changed, added or removed since,
    that is of another version of the schema, or that is about another host than its name says, nothing is used, and its
    host is V(untrusted). So is a host whose evidence is of a time in the future.
  - Of several folders with evidence of one host, the newest counts. If two are of the same second and differ, none
    does.
  - What a host or a file says is only text on the page, and no formula in the table.
options:
  evidence_dir:
    description: The folders that audits wrote to, as a list or with commas between them.
    type: list
    elements: path
    required: true
  report_dir:
    description: The folder for the three files, which replace those of an earlier report.
    type: path
    required: true
  max_age:
    description:
      - Evidence that is older does not prove anything. A number of minutes, hours or days, such as V(90m) or V(7d).
    type: str
    default: 26h
  fail_on:
    description:
      - For what RV(failures) is not empty. Each word stands for all before it, too. Evidence that cannot be trusted
        counts as V(violated), a host with no evidence or old evidence as V(incomplete).
      - The task itself does not fail because of what the report says, so that another one can do so once it is written.
    type: list
    elements: str
    choices: [never, violated, incomplete, unknown]
    default: [violated, incomplete]
  previous:
    description:
      - C(report.json) of an earlier report, to show what changed. The default is the one in O(report_dir) that this
        report replaces.
      - One that cannot be read is a warning and a note in the report.
    type: path
  inventory:
    description: The hosts of which there should be evidence. Without any, a host that was never audited is not missed.
    type: list
    elements: str
  allowed_signers:
    description:
      - A file that names keys, as C(ssh-keygen) describes it under C(ALLOWED SIGNERS). With it, a folder counts only if
        one of them has signed its C(SHA256SUMS).
    type: path
attributes:
  check_mode:
    description: In check mode, it returns the same and writes nothing.
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
  - module: aspera_ops.sse.aspera_sse_manifest
"""

EXAMPLES = r"""
---
- name: Make the report of the night
  aspera_ops.sse.aspera_sse_report:
    evidence_dir:
      - /srv/evidence/eu
      - /srv/evidence/us
    report_dir: /srv/reports/2026-11-27
    previous: /srv/reports/2026-11-26/report.json
    inventory: "{{ groups.aspera }}"
  delegate_to: localhost
  run_once: true
  register: made
  failed_when: made is failed or made.failures | length > 0
"""

RETURN = r"""
---
report:
  description: The page.
  returned: success
  type: str
  sample: /srv/reports/2026-11-27/report.html
proven:
  description: Whether there is a host, and every host is as expected.
  returned: success
  type: bool
  sample: false
summary:
  description: All of it in one sentence.
  returned: success
  type: str
  sample: >-
    Not proven: of 20 hosts, 1 host violates the expectation and 19 hosts are as expected; 118 of 120 judged docroots
    are as expected, as of 2026-11-27 00:30 UTC.
counts:
  description: How many hosts are in each state, from the worst to the best.
  returned: success
  type: dict
  sample:
    violated: 1
    untrusted: 0
    incomplete: 0
    missing: 0
    old: 0
    unknown: 0
    met: 19
failures:
  description: The reasons to fail by O(fail_on), as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - "1 host violates the expectation: aspera7."
"""
