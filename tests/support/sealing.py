"""The client's side of encrypted payloads, by other means than the gateway's."""

import base64
import json
import os
import time
from dataclasses import dataclass
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

Encoding = Literal["hex", "base64"]

_REGISTRY = jwe.JWERegistry(algorithms=["RSA-OAEP-256", "A256GCM", "dir", "DEF"], strict_check_header=False)


def encode(data: bytes, encoding: Encoding) -> str:
    """Hex or base64."""
    return data.hex() if encoding == "hex" else base64.b64encode(data).decode()


def decode(text: str, encoding: Encoding) -> bytes:
    """Hex or base64."""
    return bytes.fromhex(text) if encoding == "hex" else base64.b64decode(text)


@dataclass(frozen=True)
class Sealed:
    """A body in the original's form, and the key that opens the answer."""

    members: dict[str, str]
    key: bytes
    encoding: Encoding

    @property
    def body(self) -> bytes:
        """As it is sent."""
        return json.dumps(self.members).encode()

    def open(self, answer: bytes) -> Any:
        """The JSON in an encrypted answer."""
        members = json.loads(answer)
        iv, tag, payload = (
            decode(members[name], self.encoding) for name in ("iv", "auth_tag", "encrypted_payload")
        )
        assert iv != decode(self.members["iv"], self.encoding), "the answer's IV is not new"
        decryptor = Cipher(algorithms.AES(self.key), modes.GCM(iv, tag)).decryptor()
        return json.loads(decryptor.update(payload) + decryptor.finalize())


def seal(
    public: dict[str, Any], plaintext: bytes, *, encoding: Encoding = "hex", iv_bytes: int = 12
) -> Sealed:
    """Encrypt in the original's form for a public RSA JWK."""
    key, iv = os.urandom(32), os.urandom(iv_bytes)
    encryptor = Cipher(algorithms.AES(key), modes.GCM(iv)).encryptor()
    payload = encryptor.update(plaintext) + encryptor.finalize()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = RSAKey.import_key(public).public_key.encrypt(key, oaep)
    parts = {"encrypted_payload": payload, "iv": iv, "auth_tag": encryptor.tag, "encrypted_key": wrapped}
    return Sealed({name: encode(value, encoding) for name, value in parts.items()}, key, encoding)


def seal_jwe(public: dict[str, Any], plaintext: bytes, **header: Any) -> str:
    """A compact JWE of demo's to POST /payment/confirm; `header` overrides members of its header."""
    bound = {
        "iat": int(time.time()),
        "jti": os.urandom(8).hex(),
        "sub": "cust_001",
        "aud": "POST /payment/confirm",
        "idempotency_key": os.urandom(8).hex(),
    }
    protected = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": public["kid"]} | bound | header
    protected = {name: value for name, value in protected.items() if value is not None}
    return jwe.encrypt_compact(protected, plaintext, RSAKey.import_key(public), registry=_REGISTRY)


def key_of(token: str) -> str:
    """The Idempotency-Key that a JWE is bound to, empty when its header does not say."""
    try:
        header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
        return str(header.get("idempotency_key", ""))
    except (ValueError, AttributeError):
        return ""


def content_key(private: RSAKey, token: str) -> bytes:
    """The content encryption key of a JWE, as only the client and the gateway know it."""
    wrapped = base64.urlsafe_b64decode(token.split(".")[1] + "==")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return private.private_key.decrypt(wrapped, oaep)  # type: ignore[union-attr]


def open_jwe(token: bytes, key: bytes) -> Any:
    """The JSON in an encrypted answer."""
    opened = jwe.decrypt_compact(token, OctKey.import_key(key), registry=_REGISTRY)
    assert opened.protected["alg"] == "dir"
    return json.loads(opened.plaintext or b"")
