"""Benchmarks: the service beside an idiomatic rival and beside bare SQL, in one run."""
