import json
import random

import pytest

from payments.audit.exports.masking import HIDDEN, masked


def shown(**data: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(masked(json.dumps(data)))
    return found


def test_what_is_clean_stays_to_the_letter() -> None:
    text = '{ "b":1.10, "a":[1e3, "\\u00eb"], "from_account":"**C001", "id":"019aa206-01d6-7403-99de-48f3" }'
    assert masked(text) == text


@pytest.mark.parametrize("name", ["from_account", "to_account", "account_number", "Account", "iban"])
def test_account_numbers_keep_their_last_four(name: str) -> None:
    assert shown(**{name: "A1B2C3D4"}) == {name: "****C3D4"}
    assert shown(inner=[{name: "A1B2C3D4"}]) == {"inner": [{name: "****C3D4"}]}


@pytest.mark.parametrize("name", ["password", "otp", "token", "refresh_token", "Authorization", "cookie"])
def test_secrets_are_hidden(name: str) -> None:
    assert shown(**{name: "anything"}) == {name: HIDDEN}
    assert shown(**{name: None}) == {name: None}
    assert shown(otp_required=True, otp_length=6) == {"otp_required": True, "otp_length": 6}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rent to 7712345678901234, thanks", "rent to ************1234, thanks"),
        ("card 4111 1111 1111 1111", "card ***************1111"),
        ("DE89 3704 0044 0532 0130 00.", "***********************0 00."),
        ("from GB29NWBK60161331926819", "from ******************6819"),
        ("to A0123B45CD", "to ******45CD"),
        ("Bearer abcdefgh12345", HIDDEN),
        ("key eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln x", f"key {HIDDEN} x"),
        ("invoice 2026-001 of 1990-01-01 for 1200.50 USD", None),
        ("at 2026-01-31T12:00:00.123456Z in room 1234567", None),
        ("payment 019aa206-01d6-7403-99de-48f336955250", None),
        ("Sample Customer, SUPPLIES AND PARTS 2026", None),
    ],
)
def test_free_text_is_searched_for_numbers_and_tokens(text: str, expected: str | None) -> None:
    wanted = text if expected is None else expected
    for name in ("description", "note", "metadata"):
        assert shown(**{name: text})[name] == wanted
    assert shown(metadata={text: [text]})["metadata"] == {wanted: [wanted]}


def test_names_of_things_are_no_free_text() -> None:
    data = {
        "payment_id": "txn_1234567890123",
        "bank_reference": "123456789012345",
        "to_routing_number": "021000021",
        "created_at": "2026-01-31T12:00:00Z",
        "version": "123456789012",
    }
    assert shown(**data) == data


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, "1" * 5000, '{"a":' + "9" * 5000 + "}"])
def test_what_cannot_be_read_is_hidden_whole(text: str) -> None:
    assert json.loads(masked(text)) == HIDDEN


def test_masking_twice_changes_nothing_more() -> None:
    dice = random.Random(20260131)
    letters = "AZaz019 -.*_"
    for _ in range(2000):
        text = "".join(dice.choice(letters) for _ in range(dice.randrange(40)))
        once = masked(json.dumps({"note": text, "account": text}))
        assert masked(once) == once, text
