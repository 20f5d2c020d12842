"""The tables, the two stores, and everything that is written in SQL."""
