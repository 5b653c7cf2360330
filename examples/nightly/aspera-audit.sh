#!/bin/sh
# Audits the fleet and makes the report of the night. Changes nothing on the servers. Ends with the status of the report, so that a timer
# or cron turns red with it.
#
# In its folder: inventory.yml; allowed_signers and signing_key, to sign the evidence; evidence/DATE and reports/DATE, which it makes.
set -u
cd "${ASPERA_AUDIT_FOLDER:-/srv/aspera-audit}" || exit 1
umask 027
night=$(date -u +%Y-%m-%d)

set -- --inventory inventory.yml --extra-vars "evidence_dir=$PWD/evidence/$night"
# The report says what the audit found, and what it could not look at: it is made in any case.
ansible-playbook "$@" ${ASPERA_AUDIT_FORKS:+--forks "$ASPERA_AUDIT_FORKS"} --extra-vars "signing_key=$PWD/signing_key" aspera_ops.sse.audit

set -- "$@" --extra-vars "report_dir=$PWD/reports/$night" --extra-vars "allowed_signers=$PWD/allowed_signers"
# A second run on the same day is compared with the first one.
if [ ! -e "reports/$night/report.json" ] && [ -e reports/latest/report.json ]; then
    set -- "$@" --extra-vars "previous=$PWD/reports/latest/report.json"
fi
ansible-playbook "$@" aspera_ops.sse.report
status=$?
# Also of a red night; but not of one without a report.
if [ -e "reports/$night/report.html" ]; then
    ln -sfn "$night" reports/latest
fi
exit "$status"
