"""Encrypted payloads: an AES-256-GCM body under a key wrapped with RSA-OAEP-256 for the gateway.

Two forms of the same thing: the original's JSON members, and compact JWE (RFC 7516). Nothing else is spoken:
no other algorithm, no compression, no PKCS #1 v1.5. Whatever is wrong, the answer is the same and takes as
long: every private key is tried whatever the others said, and what cannot be read or unwrapped goes on to a
decryption that fails.
"""

import base64
import binascii
import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc.jwk import RSAKey

from payments.gateway.keys import Keys

_OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
_HEX = re.compile(r"[0-9a-fA-F]+")
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")
_KEY_BYTES, _TAG_BYTES, _NEW_IV_BYTES = 32, 16, 12


class DecryptionFailed(Exception):
    """The payload could not be decrypted; there is no more to say."""


class SealedBody(msgspec.Struct, forbid_unknown_fields=True):
    """The original's form: all members in hex, or all in base64. The IV has 12 or 16 bytes."""

    encrypted_payload: str
    iv: str
    auth_tag: str
    encrypted_key: str


class JweHeader(msgspec.Struct, forbid_unknown_fields=True):
    """Protected header of a JWE, which binds it: `sub` to the customer, `aud` to method and path,
    `idempotency_key` to the header of that name, `iat` to the present; `jti` lets it be taken once.
    """

    alg: Literal["RSA-OAEP-256"]
    enc: Literal["A256GCM"]
    iat: int
    jti: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    sub: str
    aud: str
    idempotency_key: str
    kid: str | None = None
    typ: str | None = None
    cty: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A decrypted body, and what the answer is encrypted with."""

    plaintext: bytes
    key: bytes
    fingerprint: bytes  # IV, tag and ciphertext: the same for each copy, however encoded
    header: JweHeader | None  # None for the original's form
    hexadecimal: bool = False


class Encryption:
    """Opens payloads with the private keys of a file that rotates, and seals the answers."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._sealed = msgspec.json.Decoder(SealedBody)
        self._header = msgspec.json.Decoder(JweHeader)

    def open_body(self, raw: bytes) -> Opened:
        """Open the original's form; takes 1-5 ms of a core. Raises DecryptionFailed."""
        try:
            sealed = self._sealed.decode(raw)
            hexadecimal = _HEX.fullmatch(sealed.encrypted_key) is not None
            decode = bytes.fromhex if hexadecimal else _base64
            wrapped, iv = decode(sealed.encrypted_key), decode(sealed.iv)
            ciphertext, tag = decode(sealed.encrypted_payload), decode(sealed.auth_tag)
            if len(iv) not in (12, 16):
                raise ValueError("the IV has another length")
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise self._pretend() from error
        plaintext, key = self._open(wrapped, iv, ciphertext, tag, None)
        return Opened(plaintext, key, iv + tag + ciphertext, None, hexadecimal)

    def open_jwe(self, raw: bytes) -> Opened:
        """Open a compact JWE; takes 1-5 ms of a core. Raises DecryptionFailed."""
        try:
            protected, *rest = raw.decode("ascii").strip().split(".")
            wrapped, iv, ciphertext, tag = (_base64url(part) for part in rest)
            header = self._header.decode(_base64url(protected))
            if len(iv) != _NEW_IV_BYTES:
                raise ValueError("the IV has another length")
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as error:
            raise self._pretend() from error
        plaintext, key = self._open(wrapped, iv, ciphertext, tag, protected.encode())
        return Opened(plaintext, key, iv + tag + ciphertext, header)

    def seal(self, opened: Opened, answer: bytes) -> tuple[bytes, str]:
        """The answer in the form and under the key of the question, with a new IV: body and media type."""
        iv = secrets.token_bytes(_NEW_IV_BYTES)
        if opened.header is not None:
            protected = _to_base64url(b'{"alg":"dir","enc":"A256GCM","cty":"json"}')
            sealed = AESGCM(opened.key).encrypt(iv, answer, protected)
            parts = (b"", iv, sealed[:-_TAG_BYTES], sealed[-_TAG_BYTES:])
            return b".".join([protected, *(_to_base64url(part) for part in parts)]), "application/jose"
        sealed = AESGCM(opened.key).encrypt(iv, answer, None)
        members = {"encrypted_payload": sealed[:-_TAG_BYTES], "iv": iv, "auth_tag": sealed[-_TAG_BYTES:]}
        encode = bytes.hex if opened.hexadecimal else _to_base64
        return msgspec.json.encode(
            {name: encode(value) for name, value in members.items()}
        ), "application/json"

    def _open(
        self, wrapped: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes | None
    ) -> tuple[bytes, bytes]:
        key = self._unwrap(wrapped)
        sound = key is not None and len(key) == _KEY_BYTES and len(tag) == _TAG_BYTES
        used = key if sound and key is not None else secrets.token_bytes(_KEY_BYTES)
        try:
            return AESGCM(used).decrypt(iv, ciphertext + tag, aad), used
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed from error

    def _pretend(self) -> DecryptionFailed:
        """What opening a readable payload in vain would have cost."""
        self._unwrap(b"")
        return DecryptionFailed()

    def _unwrap(self, wrapped: bytes) -> bytes | None:
        found = None
        for private in self._private_keys():
            size = private.key_size // 8
            # What has another length would be refused without the work.
            given = wrapped if len(wrapped) == size else b"\0" + secrets.token_bytes(size - 1)
            try:
                opened = private.decrypt(given, _OAEP)
            except ValueError:
                continue
            found = opened if found is None else found
        return found

    def _private_keys(self) -> list[RSAPrivateKey]:
        keys = [key for key in self._keys.current().keys if isinstance(key, RSAKey)]
        return [key.private_key for key in keys if key.private_key is not None]


def _base64(text: str) -> bytes:
    """Standard or URL-safe alphabet, padded or not."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _base64url(text: str) -> bytes:
    if not _BASE64URL.fullmatch(text):
        raise binascii.Error("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _to_base64url(data).decode() != text:
        raise binascii.Error("not canonical")
    return data


def _to_base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
