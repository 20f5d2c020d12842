"""The one way in for every write: queue, batch, load, decide, store, commit, answer."""
