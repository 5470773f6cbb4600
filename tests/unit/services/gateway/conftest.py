"""Keys of the tests' own."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey, RSAKey

from payments.gateway.keys import Keys


def new_signing_key() -> ECKey:
    return ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)


def write_keys(path: Path, keys: Iterable[ECKey | RSAKey]) -> Path:
    path.write_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))
    return path


@pytest.fixture(scope="session")
def signing_key() -> ECKey:
    return new_signing_key()


@pytest.fixture(scope="session")
def signing_keys(signing_key: ECKey, tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(write_keys(tmp_path_factory.mktemp("signing") / "private.jwks.json", [signing_key]))


@pytest.fixture(scope="session")
def encryption_key() -> RSAKey:
    return RSAKey.generate_key(2048, {"use": "enc", "alg": "RSA-OAEP-256"}, auto_kid=True)
