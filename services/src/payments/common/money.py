"""Amounts are integer minor units with a currency (ISO 4217); decimals exist only at the edge."""

from decimal import Context, Decimal, Inexact, InvalidOperation

MAX_MINOR = 10**12

# Never rounds: digits that do not fit raise.
_EXACT = Context(prec=28, traps=[Inexact, InvalidOperation])

# ISO 4217 currencies in use whose exponent is not 2 ...
_OTHER_EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
}
# ... and those of two digits.
_TWO_DIGITS = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY
    COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP
    SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW
    ZWG""".split()
)

CURRENCIES = _TWO_DIGITS | _OTHER_EXPONENTS.keys()


class AmountError(ValueError):
    """An amount that is no amount; `args[0]` says why, without echoing the input."""


def exponent(currency: str) -> int:
    """Digits after the decimal point of an ISO 4217 currency.

    Raises:
        AmountError: the code is not an active currency.
    """
    if currency in _TWO_DIGITS:
        return 2
    try:
        return _OTHER_EXPONENTS[currency]
    except KeyError:
        raise AmountError("is not an ISO 4217 currency") from None


def check_minor(amount: int) -> int:
    """`amount` itself, when 1 <= amount <= 10^12 minor units.

    Raises:
        AmountError: it is outside these bounds.
    """
    if not 1 <= amount <= MAX_MINOR:
        raise AmountError(f"must be from 1 to {MAX_MINOR} minor units")
    return amount


def to_minor(amount: Decimal, currency: str) -> int:
    """Minor units of a decimal amount: 10.50 USD is 1050.

    Raises:
        AmountError: not finite, not positive, too large, or more decimals than the currency has.
    """
    digits = exponent(currency)
    if not amount.is_finite():
        raise AmountError("must be a finite number")
    if amount <= 0 or amount > MAX_MINOR:  # the bound also keeps a huge exponent out of the arithmetic
        raise AmountError(f"must be from 1 to {MAX_MINOR} minor units")
    try:
        scaled = amount.scaleb(digits, _EXACT)
    except Inexact:
        scaled = None
    if scaled is None or scaled != scaled.to_integral_value():
        raise AmountError(f"has more than {digits} decimals, the most {currency} has")
    return check_minor(int(scaled))


def to_decimal(minor: int, currency: str) -> Decimal:
    """The decimal amount of minor units: 1050 USD is 10.50."""
    return Decimal(minor).scaleb(-exponent(currency))
