"""What the answers say of services that this machine does not have."""

from __future__ import annotations

from pathlib import Path


def check_no_service(answer: dict, service: str, *, changed: bool) -> None:
    """Hold an answer against this machine: where there is an init system, the service is known not to run."""
    init = Path("/proc/1/comm").read_text().strip()
    if Path("/run/systemd/system").is_dir() or init == "init":
        expected = (False, None, [])
    else:
        expected = (None, "no_init_system", [service] if changed else [])
    assert (answer["restart_required"], answer["restart_reason"], answer["restart_services"]) == expected
