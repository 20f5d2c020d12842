"""A server that greets as an old PostgreSQL does, and knows nothing else."""

from __future__ import annotations

import struct
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ASKS_FOR_TLS = 80877103


@contextmanager
def old_postgres(version: str) -> Iterator[str]:
    """Greet as this version does; the value is the URL of a database there."""

    class Greeter(StreamRequestHandler):
        def handle(self) -> None:
            if self._read_start() == ASKS_FOR_TLS:
                self.wfile.write(b"N")
                self._read_start()
            facts = f"server_version\0{version}\0".encode()
            for kind, content in ((b"R", bytes(4)), (b"S", facts), (b"K", bytes(8)), (b"Z", b"I")):
                self.wfile.write(kind + struct.pack("!i", len(content) + 4) + content)
            self.rfile.read(1)  # what comes next is a farewell, or a statement that gets no answer

        def _read_start(self) -> int:
            """Read the first message of a client, which says which protocol it wants."""
            length, code = struct.unpack("!ii", self.rfile.read(8))
            self.rfile.read(length - 8)
            return int(code)

    with ThreadingTCPServer(("127.0.0.1", 0), Greeter) as server:
        Thread(target=server.serve_forever, args=(0.05,)).start()
        yield f"postgresql://benefits@127.0.0.1:{server.server_address[1]}/benefits"
        server.shutdown()
