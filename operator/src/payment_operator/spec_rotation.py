"""Spec of what rotates: keys and passwords."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from payment_operator.spec_types import Model

Duration = Annotated[str, Field(max_length=8, pattern=r"^[1-9][0-9]{0,5}[smhd]$")]


class KeyRotation(Model):
    """Rotation of the gateway's signing and encryption keys, by the operator and without a restart.

    Also on demand: the annotation ``paymentplatform.dev/rotate: signing-keys@<any id>``.
    """

    interval: Duration | None = Field(None, description='Age at which keys rotate, as "30d"; default never.')
    overlap: Duration | None = Field(
        None,
        description='How long a new key is known before it is used; default "3m", for the kubelets.',
    )
    keep: Duration | None = Field(
        None,
        description='How long an old key is accepted; default "2h". Must exceed the life of access tokens.',
    )


class PasswordRotation(Model):
    """Rotation of the passwords of the database's roles and of Redis, by the operator; their consumers roll.

    Also on demand: the annotation ``paymentplatform.dev/rotate: database-passwords@<any id>``,
    ``redis-password`` or ``superuser-password``.
    """

    interval: Duration | None = Field(
        None, description='Age at which passwords rotate, as "90d"; default never.'
    )
    overlap: Duration | None = Field(
        None,
        description='How long Redis knows a new password before it is used; default "3m", for the kubelets.',
    )
