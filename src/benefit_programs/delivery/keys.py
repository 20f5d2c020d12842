"""The keys with which events are signed in JWTs.

This loads the library of cryptography, which takes a start longer than most of it: import it where
a key is used.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateKey,
    RSAPublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import RSAAlgorithm

ALGORITHM = "RS256"
SIGNING_KEY_BITS = 2_048


class SigningKey:
    """An RSA key that signs JWTs (RS256). Its text form shows nothing of the private part."""

    def __init__(self, private: RSAPrivateKey) -> None:
        self.private = private

    @classmethod
    def make(cls) -> SigningKey:
        """A new key. Takes a tenth of a second of the processor: not for the event loop."""
        return cls(generate_private_key(public_exponent=65_537, key_size=SIGNING_KEY_BITS))

    @classmethod
    def read(cls, pem: str) -> SigningKey:
        """The key of ``private_pem``. Raises ValueError for what is no key at all."""
        # Checking its numbers takes half as long as making them. It is ours, and was sealed.
        private = load_pem_private_key(
            pem.encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        if not isinstance(private, RSAPrivateKey):
            raise ValueError("the key is no RSA key")  # noqa: TRY004 - the text is wrong, not its type
        return cls(private)

    @cached_property
    def private_pem(self) -> str:
        """The key as it is stored, encrypted."""
        pem = self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()

    @cached_property
    def public_pem(self) -> str:
        """What receivers verify with, ``publicKey`` of AppStrategy."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    @cached_property
    def jwk(self) -> dict[str, str]:
        """The public part as a JSON Web Key; ``kid`` is its thumbprint (RFC 7638)."""
        return _jwk(self.private.public_key())

    @property
    def id(self) -> str:
        """The key's name, which its JWTs carry as ``kid``."""
        return self.jwk["kid"]


def jwks(public_pems: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """The JSON Web Key Set with which receivers verify, whichever of the keys has signed."""
    return {"keys": [_jwk(_public_key(pem)) for pem in public_pems]}


def _public_key(pem: str) -> RSAPublicKey:
    public = load_pem_public_key(pem.encode())
    assert isinstance(public, RSAPublicKey)
    return public


def _jwk(key: RSAPublicKey) -> dict[str, str]:
    public = RSAAlgorithm.to_jwk(key, as_dict=True)
    required = {name: public[name] for name in ("e", "kty", "n")}
    text = json.dumps(required, separators=(",", ":"))
    thumbprint = urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return {**required, "use": "sig", "alg": ALGORITHM, "kid": thumbprint.decode().rstrip("=")}
