"""Real servers and tools for tests and benchmarks: no pytest in here."""
