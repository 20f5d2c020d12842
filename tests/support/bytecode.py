"""Keeps compiled modules, also where the environment says not to, as that of a container may.

The tests start hundreds of processes. Each would compile the whole service, and those of pytest all
tests.
"""

import os
import sys

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
