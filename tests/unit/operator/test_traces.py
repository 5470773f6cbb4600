"""Spans of the operator: one for each reconcile, with its conditions or why it failed, without texts."""

import pytest

from payment_operator import traces
from payment_operator.errors import OperatorError
from tests.support.otlp_receiver import Receiver

READY = {"type": "Ready", "status": "False", "reason": "Progressing", "message": "a text", "x": 1}


class Refused(OperatorError):
    reason = "Refused"


def test_a_reconcile_is_a_span_with_its_conditions() -> None:
    with Receiver() as receiver:
        stop = traces.start(receiver.url, 1.0, pod="operator-0")
        with traces.reconciling("shop"):
            traces.note([READY])
        with pytest.raises(Refused), traces.reconciling("shop"):
            raise Refused("a secret text")
        stop()
        with traces.reconciling("shop"):
            traces.note([READY])
        good, bad = receiver.spans
        sent = b"".join(receiver.bodies)
    assert (good.name, good.service, good.parent, good.error) == ("reconcile", "payment-operator", "", False)
    assert good.attributes == {
        "k8s.namespace.name": "shop",
        "paymentplatform.condition.Ready": "False",
        "paymentplatform.condition.Ready.reason": "Progressing",
    }
    assert good.resource["k8s.pod.name"] == "operator-0"
    assert bad.error and bad.attributes["error.type"] == "Refused"
    assert b"text" not in sent


def test_without_an_endpoint_nothing_is_recorded() -> None:
    stop = traces.start("", 1.0, pod="operator-0")
    with traces.reconciling("shop"):
        traces.note([READY])
    stop()
