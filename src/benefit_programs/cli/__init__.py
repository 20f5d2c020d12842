"""The command line: ``benefits``."""

from benefit_programs.cli.application import main

__all__ = ["main"]
