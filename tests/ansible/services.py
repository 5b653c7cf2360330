"""What the answers say of services, whichever this machine has."""

from __future__ import annotations


def check_restart(answer: dict, service: str, *, changed: bool) -> None:
    """Hold the three keys of an answer against each other: a service that may have to restart is named."""
    required, reason, services = (answer[f"restart_{key}"] for key in ("required", "reason", "services"))
    assert required in {True, False, None}
    assert (reason is None) is (required is False)
    assert services == ([service] if required or (required is None and changed) else [])
