"""The conditions of a PaymentPlatform: their names and what they mean. How they are found is in status.py."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConditionType:
    """One type of condition, its healthy status and what it says."""

    type: str
    healthy: str
    meaning: str


CONDITIONS = (
    ConditionType("Ready", "True", "A payment can be made. False names the first cause."),
    ConditionType("Progressing", "False", "True while an install or a change of version runs."),
    ConditionType("Degraded", "False", "True: something needs a person; the message says what."),
    ConditionType("SecretsReady", "True", "All Secrets and keys are there."),
    ConditionType("PostgresReady", "True", "PostgreSQL is ready (Builtin) or reachable (External)."),
    ConditionType("RedisReady", "True", "Redis is ready (Builtin) or reachable (External)."),
    ConditionType("KafkaReady", "True", "Kafka is ready (Builtin) or reachable (External), its topics made."),
    ConditionType(
        "Restored",
        "True",
        "The database is the backup of spec.restoreFrom, its books proven right; False until then, with"
        " payments closed; Unknown when no backup was asked for.",
    ),
    ConditionType("MigrationsApplied", "True", "The database has the schema of this version."),
    ConditionType("ServicesReady", "True", "All Deployments have all their replicas ready."),
    ConditionType(
        "KeysRotated",
        "True",
        "No rotation of keys waits for its new key, or for a person. The message says when.",
    ),
    ConditionType(
        "BackupsCurrent",
        "True",
        "The last backup succeeded and is not overdue, and the log is archived where that is asked for;"
        " Unknown when backups are switched off.",
    ),
    ConditionType(
        "ObservabilityReady",
        "True",
        "All enabled parts of the observability stack are ready (Builtin) or reachable (External);"
        " False names those that are not; no payment suffers. Unknown with reason Disabled: none is enabled.",
    ),
    ConditionType(
        "PaymentPathReady",
        "True",
        "The last synthetic payment went through, and how fast. Unknown with reason Disabled: none are made.",
    ),
)
