"""The files of evidence that fuzzing found worth keeping keep every law."""

from __future__ import annotations

from pathlib import Path

import evidence_laws

CORPUS = sorted((Path(__file__).parent / "corpus/evidence").iterdir())


def test_every_law_holds_for_the_corpus() -> None:
    """It is replayed whole."""
    assert len(CORPUS) >= 20
    for file in CORPUS:
        evidence_laws.check(file.read_bytes())
