"""Which passwords people may choose."""

import pytest

from payments.gateway.password_policy import new_password, weakness


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "elevenchars",
        "x" * 257,
        "ada-is-my-password",
        "Ada.Lovelace1815",
        "aaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "passwordpassword",
        "Password123456!",
        "!!!Welcome2026!!!",
        "123456789012345",
        "0987654321098",
        "abcdefghijklmnop",
        "qwertyuiopasdfgh",
        "paymentplatform1",
    ],
)
def test_weak_ones(password: str) -> None:
    assert weakness(password, "ada@example.com") is not None


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "Zebra-kiosk-42", "пароль длинный весьма", "x7#kfQp!02mvLs"]
)
def test_good_ones(password: str) -> None:
    assert weakness(password, "ada@example.com") is None


def test_made_ones_are_good_and_differ() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(weakness(password, "operator") is None and len(password) == 20 for password in made)
