# Made by tools/make_sync_client.py from ../asynchronous: change that, and run it.
"""The client for code without an event loop."""
