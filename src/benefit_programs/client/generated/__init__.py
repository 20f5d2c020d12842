# Made by tools/generate_client.py (`make docs`): change what it reads.
"""What the client has from the server's own tables."""
