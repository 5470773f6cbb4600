from payments.notification.domain import compose


def test_the_messages_tell_what_happened() -> None:
    text = compose("PAYMENT_CONFIRMED", {"amount": "10.00 USD", "transaction_id": "txn_001"})
    assert text.body == "Payment of 10.00 USD confirmed. Transaction ID: txn_001"
    assert text.subject == "Payment Notification"


def test_a_one_time_password_comes_with_amount_and_payee() -> None:
    fields = {"otp": "012345", "amount": "12,000.00 USD", "payee": "ACC002", "valid_minutes": "5"}
    body = compose("OTP_REQUIRED", fields).body
    assert body.startswith("012345 ")
    assert "12,000.00 USD to ACC002" in body


def test_missing_fields_give_the_plain_sentence() -> None:
    expected = "OTP verification required for your payment transaction."
    assert compose("OTP_REQUIRED", {}).body == expected
    assert compose("SOMETHING_NEW", {"a": "b"}).body == "Payment system notification"


def test_fields_cannot_smuggle_in_lines_formats_or_length() -> None:
    fields = {"amount": "{transaction_id}", "transaction_id": "x\r\nBcc: you\u2028" + "y" * 5000}
    body = compose("PAYMENT_CONFIRMED", fields).body
    assert "\n" not in body
    assert "\u2028" not in body
    assert "{transaction_id}" in body
    assert len(body) < 300
