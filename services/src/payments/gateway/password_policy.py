"""Which passwords people may choose (NIST SP 800-63B-4, 3.1.1.2): long ones that are not easily guessed.

No rules of composition, for they make passwords worse. Standard library only.
"""

import secrets

LEAST, MOST = 12, 256
_GENERATED_BYTES = 15  # 20 characters, 120 bits

# Stems of the commonest long passwords, and what this product suggests; digits around them add little.
_COMMON = frozenset(
    "password passwort passw0rd p@ssword p@ssw0rd letmein welcome iloveyou qwerty qwertyuiop asdfghjkl"
    " zxcvbnm administrator admin operator auditor customer changeme secret monkey dragon football"
    " baseball sunshine princess superman trustno payment payments paymentplatform bank"
    " abcdefghijkl qazwsxedc default".split()
)
_ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb",
)
_FILLING = "0123456789!@#$%^&*()-_=+.,?:; "


def weakness(password: str, username: str) -> str | None:
    """What is wrong with a password, as the end of a sentence; None when it may be used."""
    if len(password) < LEAST:
        return f"must have at least {LEAST} characters"
    if len(password) > MOST:
        return f"must have at most {MOST} characters"
    plain = password.casefold()
    name = username.casefold().partition("@")[0]
    if len(name) > 2 and name in plain:
        return "must not contain the user name"
    if len(set(plain)) < 5 or _runs(plain):
        return "must not be a repetition or a row of keys"
    stem = plain.strip(_FILLING)
    if stem in _COMMON or any(stem == word * (len(stem) // len(word)) for word in _COMMON if stem):
        return "is one of those tried first; choose several unrelated words"
    return None


def new_password() -> str:
    """A random password for somebody else; it is shown once."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


def _runs(plain: str) -> bool:
    """True when the whole is a piece repeated, or a row of the keyboard or the alphabet, either way round."""
    if plain in (plain + plain)[1:-1]:
        return True
    return any(plain in row * 2 or plain in row[::-1] * 2 for row in _ROWS)
