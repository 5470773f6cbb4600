"""Everything that can go wrong, each with the reason that ends up in a condition.

OperatorError
├── InvalidDefaults      the operator's own defaults for all platforms are wrong
├── QuotaExceeded        the platform is one too many, or would grow beyond the operator's quota
├── InvalidSpec          the spec contradicts the schema that this operator knows
├── UnsupportedVersion   this operator carries no chart of the wanted version
│   └── UnsupportedJump  it carries one, but the installed version may not become that one
├── RenderFailed         helm refused the values or did not answer
├── MissingCredentials   a Secret that the user must bring is absent or incomplete
└── ApiError             the API server refused or did not answer
"""

from __future__ import annotations


class OperatorError(Exception):
    """Base; ``reason`` is one word for the condition, the text says what to do."""

    reason = "InternalError"
    #: True when only a change of the spec or of the cluster by a person helps, so retrying soon is of no use.
    final = False


class InvalidSpec(OperatorError):
    """The spec does not fit the typed model (an old CRD, or stored before a rule existed)."""

    reason = "InvalidSpec"
    final = True


class InvalidDefaults(OperatorError):
    """The defaults that the operator's administrator set do not fit; platforms stay as they are."""

    reason = "InvalidDefaults"


class QuotaExceeded(OperatorError):
    """There would be more platforms, or this one have more pods, than the operator's administrator lets."""

    reason = "QuotaExceeded"


class UnsupportedVersion(OperatorError):
    """The operator carries no chart of the wanted version; it leaves the platform as it is."""

    reason = "UnsupportedVersion"
    final = True


class UnsupportedJump(UnsupportedVersion):
    """A downgrade, or a jump over versions that must come between."""

    reason = "UnsupportedJump"


class RenderFailed(OperatorError):
    """``helm template`` ended with an error; the text is helm's own."""

    reason = "RenderFailed"
    final = True


class RenderTimeout(RenderFailed):
    """``helm template`` took too long, which says nothing about the values."""

    reason = "RenderTimeout"
    final = False


class MissingCredentials(OperatorError):
    """A Secret named in the spec does not exist or lacks a key."""

    reason = "SecretMissing"


class ApiError(OperatorError):
    """An answer of the API server outside 2xx (``status``), or none at all (status 0)."""

    reason = "ApiError"

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status

    @property
    def not_found(self) -> bool:
        """The object does not exist."""
        return self.status == 404

    @property
    def conflict(self) -> bool:
        """It exists already, or is another one than expected."""
        return self.status == 409

    @property
    def invalid(self) -> bool:
        """The content is refused, as with an immutable field."""
        return self.status == 422


def reasons(kind: type[OperatorError] = OperatorError) -> set[str]:
    """Every reason that there is."""
    return {kind.reason}.union(*(reasons(special) for special in kind.__subclasses__()))
