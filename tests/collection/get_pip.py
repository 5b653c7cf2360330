"""Puts pip into a venv of ansible-test, with nothing but Python's own pip and the package index.

What ansible-test would download for this comes from a host of its own, which not every machine can reach.
"""

import subprocess
import sys

# pip knows no such options; the downloaded program does, and leaves out what it is not asked for.
packages = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", *packages], check=True)
