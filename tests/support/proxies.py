"""Real proxies before a service, with the files of deploy/ at the places of a test."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.looking import LOOK_PAUSE_SECONDS
from tests.support.postgres import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NGINX_FILE = DEPLOY / "nginx" / "benefits.conf"
CADDY_FILE = DEPLOY / "caddy" / "Caddyfile"
START_SECONDS_MAX = 20
HOST = "benefits.example"

GUARDIAN = """
"$@" </dev/null >"$FOLDER/log" 2>&1 &
read -r _
kill -KILL $! 2>/dev/null
wait $!
rm -rf "$FOLDER"
"""
"""Ends it with the process that started it, however that one ends."""

NGINX_ROOM = """
daemon off;
master_process off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/benefits.conf;
}}
"""
"""What a system has around our file."""

CADDY_ROOM = "{\n\tadmin off\n\tauto_https off\n"


@dataclass(frozen=True)
class Proxy:
    """One that runs: its port for TLS, one without if it has it, and whom to trust."""

    port: int
    plain_port: int | None
    trust: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def wrap(self, connection: socket.socket) -> ssl.SSLSocket:
        """Speak TLS on a connection."""
        return self.trust.wrap_socket(connection, server_hostname="127.0.0.1")


def proxy_path(name: str) -> str | None:
    """Where a program is, if the machine has it: Debian keeps nginx out of the usual path."""
    path = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin"
    return os.environ.get(f"BENEFITS_TEST_{name.upper()}") or shutil.which(name, path=path)


@contextmanager
def running_proxy(name: str, service_port: int) -> Iterator[Proxy]:
    """Put a proxy before the service at that port of this machine."""
    program = proxy_path(name)
    assert program, f"install {name}, or name it in BENEFITS_TEST_{name.upper()}"
    folder = Path(tempfile.mkdtemp(prefix=f"benefits-{name}-"))
    trust = _write_certificate(folder)
    port, plain_port = free_port(), free_port()
    make = {"nginx": _nginx, "caddy": _caddy}[name]
    arguments = make(folder, service_port, port, plain_port)
    guardian = subprocess.Popen(
        ["sh", "-c", GUARDIAN, "guardian", program, *arguments],
        stdin=subprocess.PIPE,
        env={**os.environ, "FOLDER": str(folder), "HOME": str(folder)},
    )
    assert guardian.stdin is not None
    proxy = Proxy(port, plain_port if name == "nginx" else None, trust)
    try:
        _await_start(proxy, folder / "log")
        yield proxy
    finally:
        guardian.stdin.close()
        guardian.wait()


def _nginx(folder: Path, service_port: int, port: int, plain_port: int) -> list[str]:
    text = _moved(
        NGINX_FILE,
        {
            "127.0.0.1:8080": f"127.0.0.1:{service_port}",
            "    listen 80;": f"    listen 127.0.0.1:{plain_port};",
            "    listen [::]:80;\n": "",
            "    listen 443 ssl": f"    listen 127.0.0.1:{port} ssl",
            "    listen [::]:443 ssl http2;\n": "",
            "/etc/ssl/benefits": str(folder),
        },
    )
    (folder / "benefits.conf").write_text(text)
    (folder / "nginx.conf").write_text(NGINX_ROOM.format(folder=folder))
    return ["-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _caddy(folder: Path, service_port: int, port: int, _plain_port: int) -> list[str]:
    certificate = f"tls {folder}/fullchain.pem {folder}/key.pem"
    text = _moved(
        CADDY_FILE,
        {
            "127.0.0.1:8080": f"127.0.0.1:{service_port}",
            "\n{\n": f"\n{CADDY_ROOM}",
            f"\n{HOST} {{\n": f"\nhttps://127.0.0.1:{port} {{\n\tbind 127.0.0.1\n\t{certificate}\n",
        },
    )
    (folder / "Caddyfile").write_text(text)
    return ["run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


def _moved(file: Path, places: dict[str, str]) -> str:
    """The text of a file, at other places."""
    text = file.read_text("utf-8")
    for old, new in places.items():
        assert old in text, f"{file} has changed: {old}"
        text = text.replace(old, new, 1 if old == "\n{\n" else -1)
    return text


def _write_certificate(folder: Path) -> ssl.SSLContext:
    """Write a certificate of this machine with its key; what trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return ssl.create_default_context(cafile=folder / "fullchain.pem")


def _await_start(proxy: Proxy, log: Path) -> None:
    deadline = monotonic() + START_SECONDS_MAX
    while True:
        try:
            socket.create_connection(("127.0.0.1", proxy.port)).close()
        except OSError:
            if monotonic() > deadline:
                written = log.read_text() if log.exists() else ""
                raise AssertionError(f"the proxy didn't start: {written}") from None
            sleep(LOOK_PAUSE_SECONDS)
        else:
            return
