"""Wiring of risk-service."""

import logging

from fastapi import FastAPI

from payments.common.app import create_app
from payments.common.auth import TokenFile
from payments.common.background import Loop
from payments.common.http import Http
from payments.risk.cache import VersionedCache
from payments.risk.peers import Kyc, Ofac, Screening, Verification
from payments.risk.routes import Routes
from payments.risk.rules import RulesError, RuleSet, load
from payments.risk.settings import Settings
from payments.risk.usecases import Assessor

__all__ = ["Settings", "create"]

log = logging.getLogger(__name__)


def create(settings: Settings) -> FastAPI:
    """The app, with everything it stands on. Raises SystemExit(1) for rules that cannot be read."""
    rules = _rules(settings)
    http = Http(TokenFile(settings.identity_token_file))
    timeout = settings.peer_timeout_seconds
    kyc_peer = http.peer("kyc-service", settings.kyc_service_url, timeout=timeout)
    ofac_peer = http.peer("ofac-service", settings.ofac_service_url, timeout=timeout)
    kyc, ofac = Kyc(kyc_peer), Ofac(ofac_peer)
    customers = VersionedCache[Verification](kyc.version, size=settings.cache_entries)
    screenings = VersionedCache[Screening](ofac.version, size=settings.cache_entries)
    assessor = Assessor(kyc, ofac, customers, screenings, settings.review_limit_major, rules)
    return create_app(
        settings,
        routes=Routes(assessor).routes(),
        resources=[
            http,
            Loop("kyc version", customers.poll, max_backoff=1.0),
            Loop("sanctions version", screenings.poll, max_backoff=1.0),
        ],
        dependencies={"kyc-service": kyc_peer.ping, "ofac-service": ofac_peer.ping},
    )


def _rules(settings: Settings) -> RuleSet:
    """A pod with wrong rules never becomes ready, so the rollout stops and the pods before it go on."""
    try:
        rules = load(settings.risk_rules_file)
    except (RulesError, OSError) as error:
        log.error("the rules in %s cannot be used: %s", settings.risk_rules_file, error)
        raise SystemExit(1) from error
    log.info("%d rules decide", len(rules.enforced), extra={"rules_version": rules.version})
    return rules
