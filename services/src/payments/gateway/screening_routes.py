"""Sanctions screening and customer verification for operators: done by ofac-service and kyc-service."""

from payments.common.errors import Problem
from payments.gateway import screening_models as models
from payments.gateway.answers import Page
from payments.gateway.domain import AUDITOR, OPERATOR
from payments.gateway.models import NoQuery, PageQuery
from payments.gateway.operations import Operation
from payments.gateway.passthrough import Passthrough

_READERS = (OPERATOR, AUDITOR)
_READ = "Operators and auditors only."
_TAG, _KYC = "Screening", "Customer verification"


def operations(ofac: Passthrough, kyc: Passthrough) -> list[Operation]:
    """What ofac-service and kyc-service do for operators."""
    return [*_rules(ofac), *_records(ofac), *_customers(kyc)]


def check_rule(body: models.CreateRuleRequest) -> None:
    """Raises Problem for what the type cannot say."""
    errors = []
    if (body.customer_id is None) == (body.name is None):
        errors.append({"field": "customer_id", "message": "give either customer_id or name"})
    if body.action == "allow" and not body.entries:
        errors.append({"field": "entries", "message": "an allow names the entries that it is about"})
    if body.action == "block" and body.entries:
        errors.append({"field": "entries", "message": "a block holds whatever the list says; leave it out"})
    if errors:
        raise Problem("validation_failed", errors=errors)


def _rules(ofac: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="POST",
            path="/v1/screening/rules",
            summary="Block or allow a customer or a name",
            description="Operators only. It holds for all later screenings; a block wins over an allow.",
            tag=_TAG,
            endpoint=ofac.post(
                "/v1/screening/rules", models.CreateRuleRequest, roles=(OPERATOR,), check=check_rule
            ),
            request=models.CreateRuleRequest,
            response=models.ScreeningRule,
            status=201,
            errors=("forbidden",),
            key=True,
        ),
        Operation(
            method="GET",
            path="/v1/screening/rules",
            summary="List rules",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/rules", models.RulesQuery, roles=_READERS),
            query=models.RulesQuery,
            response=Page[models.ScreeningRule],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/rules/{id}",
            summary="Read a rule",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/rules/{id}", NoQuery, roles=_READERS),
            query=NoQuery,
            response=models.ScreeningRule,
            errors=("forbidden",),
        ),
        Operation(
            method="DELETE",
            path="/v1/screening/rules/{id}",
            summary="End a rule",
            description="Operators only. The rule stays on record; ending it again changes nothing.",
            tag=_TAG,
            endpoint=ofac.get(
                "/v1/screening/rules/{id}", models.EndRuleQuery, roles=(OPERATOR,), method="DELETE"
            ),
            query=models.EndRuleQuery,
            response=models.ScreeningRule,
            errors=("forbidden",),
        ),
    ]


def _records(ofac: Passthrough) -> list[Operation]:
    return [
        Operation(
            method="GET",
            path="/v1/screening/decisions",
            summary="List screening decisions",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/decisions", models.DecisionsQuery, roles=_READERS),
            query=models.DecisionsQuery,
            response=Page[models.ScreeningDecision],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/decisions/{id}",
            summary="Read a screening decision",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/decisions/{id}", NoQuery, roles=_READERS),
            query=NoQuery,
            response=models.ScreeningDecision,
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/rescreenings",
            summary="List rescreenings",
            description=f"{_READ} Each new list is compared with all customers, once.",
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/rescreenings", models.RescreeningsQuery, roles=_READERS),
            query=models.RescreeningsQuery,
            response=Page[models.Rescreening],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/rescreenings/{list_version}",
            summary="Read a list's rescreening",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/rescreenings/{list_version}", NoQuery, roles=_READERS),
            query=NoQuery,
            response=models.Rescreening,
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/rescreenings/{list_version}/customers",
            summary="List the customers whom a list flagged",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get(
                "/v1/screening/rescreenings/{list_version}/customers", PageQuery, roles=_READERS
            ),
            query=PageQuery,
            response=Page[models.FlaggedCustomer],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/screening/list",
            summary="Read which sanctions list is in force, and how old it is",
            description=_READ,
            tag=_TAG,
            endpoint=ofac.get("/v1/screening/list", NoQuery, roles=_READERS),
            query=NoQuery,
            response=models.SanctionsList,
            errors=("forbidden", "not_found"),
        ),
    ]


def _customers(kyc: Passthrough) -> list[Operation]:
    path = "/v1/kyc/customers/{id}/decisions"
    return [
        Operation(
            method="GET",
            path="/v1/kyc/customers",
            summary="List customers and their verification",
            description=_READ,
            tag=_KYC,
            endpoint=kyc.get("/v1/kyc/customers", models.CustomersQuery, roles=_READERS),
            query=models.CustomersQuery,
            response=Page[models.KycCustomer],
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path="/v1/kyc/customers/{id}",
            summary="Read a customer's verification",
            description=_READ,
            tag=_KYC,
            endpoint=kyc.get("/v1/kyc/customers/{id}", NoQuery, roles=_READERS),
            query=NoQuery,
            response=models.KycCustomer,
            errors=("forbidden",),
        ),
        Operation(
            method="GET",
            path=path,
            summary="List the decisions about a customer",
            description=_READ,
            tag=_KYC,
            endpoint=kyc.get(path, PageQuery, roles=_READERS),
            query=PageQuery,
            response=Page[models.KycDecision],
            errors=("forbidden",),
        ),
        Operation(
            method="POST",
            path=path,
            summary="Approve or reject a customer, or ask for documents",
            description="Operators only. Payments follow within a second.",
            tag=_KYC,
            endpoint=kyc.post(path, models.KycDecisionRequest, roles=(OPERATOR,)),
            request=models.KycDecisionRequest,
            response=models.KycDecision,
            status=201,
            errors=("forbidden",),
            key=True,
        ),
    ]
