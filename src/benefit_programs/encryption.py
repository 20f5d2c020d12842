"""Secrets at rest: what must be readable again is encrypted before it is stored.

A copy of the database alone tells none of them. The key is the deployment's: the setting
``secret_key``, or else, beside a SQLite file, a file of its own.

AES-256-GCM. ``of`` says whose a secret is, such as a tenant and an endpoint: a stored text that was
moved to another row can't be read there. It is ``v1.<name of the key>.<nonce and rest, base64>``.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp
from typing import TYPE_CHECKING

from benefit_programs.config import SECRET_KEY_BYTES, decode_base64, decode_secret_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_FILE_SUFFIX = ".key"

_VERSION = "v1"
_NONCE_BYTES = 12


class SecretError(Exception):
    """A secret can't be kept, or not be read; the message is one line that shows none."""


class NoSecretKey(SecretError):
    """The deployment has no key to encrypt with."""


class WrongKeyFile(SecretError):
    """The file beside the database holds no key."""


class UnreadableSecret(SecretError):
    """A stored secret was encrypted with a key that is not here, or was changed or moved."""


class SecretKeys:
    """The keys of a deployment: the first encrypts, all decrypt.

    Without any, and with a ``file``, the key is in that file, which the first secret makes.
    """

    def __init__(self, keys: Sequence[bytes] = (), *, file: Path | None = None) -> None:
        self._keys = {_name_of(key): key for key in keys}
        self._file = None if keys else file

    def encrypt(self, secret: str, *, of: str) -> str:
        """The text to store. Raises NoSecretKey, WrongKeyFile, or OSError from the file."""
        if not self._keys and self._file is not None:
            self._take(make_key_file(self._file))
        if not self._keys:
            raise NoSecretKey(
                "BENEFITS_SECRET_KEY is not set, and without it no secret can be stored"
            )
        name, key = next(iter(self._keys.items()))
        nonce = os.urandom(_NONCE_BYTES)
        sealed = _cipher(key).encrypt(nonce, secret.encode(), of.encode())
        return f"{_VERSION}.{name}.{b64encode(nonce + sealed).decode()}"

    def decrypt(self, stored: str, *, of: str) -> str:
        """The secret of a stored text. Raises UnreadableSecret, WrongKeyFile or OSError."""
        version, _, rest = stored.partition(".")
        name, _, text = rest.partition(".")
        if not self._keys and self._file is not None and self._file.exists():
            self._take(read_key_file(self._file))
        key = self._keys.get(name)
        if version != _VERSION or key is None:
            raise UnreadableSecret(
                f"a secret was encrypted with the key {name!r}, which isn't here"
            )
        try:
            return _opened(_cipher(key), decode_base64(text), of)
        except ValueError:
            raise UnreadableSecret("a stored secret was changed, or is another's") from None

    def is_newest(self, stored: str) -> bool:
        """Whether a stored text was encrypted with the first key; else encrypt it anew."""
        return stored.split(".")[1:2] == list(self._keys)[:1]

    def _take(self, key: bytes) -> None:
        self._keys[_name_of(key)] = key


def _cipher(key: bytes) -> AESGCM:
    # Only here: the library takes a start longer than most, and few processes open a secret.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _opened(cipher: AESGCM, sealed: bytes, of: str) -> str:
    """What was sealed. Raises ValueError if it wasn't with this cipher, for this purpose."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - as above

    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], of.encode()).decode()
    except InvalidTag:
        raise ValueError("changed, or another's") from None


def key_file_of(database: Path) -> Path:
    """Where the key of a SQLite file is."""
    return database.with_name(database.name + KEY_FILE_SUFFIX)


def read_key_file(path: Path) -> bytes:
    """The key in a file. Raises WrongKeyFile or OSError."""
    try:
        return decode_secret_key(path.read_text("ascii"))
    except ValueError:
        raise WrongKeyFile(f"{path} holds no key: put the right file back") from None


def make_key_file(path: Path) -> bytes:
    """The key in a file, made if there is none; only its owner can read it.

    The file is there as a whole or not at all, and of several processes one makes it. Raises
    WrongKeyFile or OSError.
    """
    if not path.exists():
        descriptor, draft = mkstemp(prefix=path.name, dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(b64encode(secrets.token_bytes(SECRET_KEY_BYTES)).decode() + "\n")
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            Path(draft).unlink()
    return read_key_file(path)


def _name_of(key: bytes) -> str:
    """Tells keys apart and gives none away."""
    return hashlib.sha256(key).hexdigest()[:8]
