"""Words that several parts of the spec share: names, sizes, amounts, references to Secrets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

Mode = Literal["Builtin", "External"]
Profile = Literal["dev", "staging", "production"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Name = Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")]
Host = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^[A-Za-z0-9]([-A-Za-z0-9.:]*[A-Za-z0-9])?$")
]
Port = Annotated[int, Field(ge=1, le=65535)]
NodePort = Annotated[int, Field(ge=30000, le=32767)]
Replicas = Annotated[int, Field(ge=0, le=100)]
Size = Annotated[str, Field(max_length=16, pattern=r"^[1-9][0-9]*(Ki|Mi|Gi|Ti|Pi)$")]
Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$",
            "maxLength": 16,
        }
    ),
]


class Model(BaseModel):
    """Base of every part: unknown keys are refused, keys are camelCase outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, alias_generator=to_camel)


class SecretRef(Model):
    """A Secret of the same namespace."""

    name: Name = Field(description="Name of the Secret.")


class ResourceList(Model):
    """Amounts as Kubernetes writes them."""

    cpu: Quantity | None = Field(None, description='CPU, as "500m" or 2.')
    memory: Quantity | None = Field(None, description='Memory, as "512Mi".')


class Resources(Model):
    """Requests and limits of the container."""

    requests: ResourceList | None = Field(None, description="What is reserved.")
    limits: ResourceList | None = Field(None, description="What is never exceeded.")
