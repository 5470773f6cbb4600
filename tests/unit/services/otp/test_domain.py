import hashlib
import hmac
from collections import Counter
from dataclasses import replace

import pytest

from payments.otp.domain import Binding, binding_mac, code_mac, new_code

KEY = b"k" * 32
BINDING = Binding("p1", "c1", 1000, "USD", "ACC002")


def test_codes_have_six_digits_and_leading_zeros_occur() -> None:
    codes = [new_code() for _ in range(20_000)]
    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    first = Counter(code[0] for code in codes)
    assert set(first) == set("0123456789")
    assert max(first.values()) < 2_400


@pytest.mark.parametrize(
    "other",
    [
        replace(BINDING, payment_id="p2"),
        replace(BINDING, customer_id="c2"),
        replace(BINDING, amount=1001),
        replace(BINDING, currency="EUR"),
        replace(BINDING, payee="ACC003"),
        # Joined together, these would read the same.
        replace(BINDING, payment_id="p", customer_id="1c1"),
    ],
)
def test_a_code_is_good_for_one_binding_only(other: Binding) -> None:
    assert code_mac(KEY, "123456", BINDING) != code_mac(KEY, "123456", other)
    assert binding_mac(KEY, BINDING) != binding_mac(KEY, other)


def test_the_code_and_the_key_matter() -> None:
    macs = {
        code_mac(KEY, "123456", BINDING),
        code_mac(KEY, "123457", BINDING),
        code_mac(b"j" * 32, "123456", BINDING),
        code_mac(KEY, "", BINDING),
        binding_mac(KEY, BINDING),
    }
    assert len(macs) == 5


def test_the_mac_is_hmac_sha256_over_a_json_array() -> None:
    text = '["code","123456","p1","c1",1000,"USD","ACC002"]'
    assert code_mac(KEY, "123456", BINDING) == hmac.new(KEY, text.encode(), hashlib.sha256).digest()
