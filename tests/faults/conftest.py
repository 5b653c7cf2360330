"""The counts of what was tried, for the end of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

COUNTS = pytest.StashKey[dict[str, int]]()


@pytest.fixture
def count(request: pytest.FixtureRequest) -> Callable[[str, int], None]:
    """Give a function that notes how many points of a kind were tried and survived."""
    counts = request.config.stash.setdefault(COUNTS, {})

    def add(kind: str, number: int) -> None:
        counts[kind] = counts.get(kind, 0) + number

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end how much was tried."""
    for kind, number in config.stash.get(COUNTS, {}).items():
        terminalreporter.write_line(f"{kind}: {number} tried, {number} survived")
