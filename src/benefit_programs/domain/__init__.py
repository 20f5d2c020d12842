"""The rules: plain values in, decisions out. No I/O, no clock, no randomness, no framework."""
