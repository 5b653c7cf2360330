"""Fuzzes files of evidence, guided by the coverage of the code that reads and judges them: scripts/fuzz.sh evidence."""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["plugin_utils"]):
    import evidence_laws

if __name__ == "__main__":
    atheris.Setup(sys.argv, evidence_laws.check)
    atheris.Fuzz()
