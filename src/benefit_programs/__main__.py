"""``python -m benefit_programs``: the same as ``benefits``."""

from benefit_programs.cli import main

if __name__ == "__main__":
    main()
