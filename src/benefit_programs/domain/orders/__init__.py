"""Changes that reach pools: what was answered is an order, and pools go through orders.

``log`` writes and reads them, ``play`` takes one pool through one order, ``openings`` gives
programs the pools that orders bring. ``definitions`` and ``programs`` are what callers ask for;
``chunks`` does what is too large for a request. See docs/jobs.md.
"""
