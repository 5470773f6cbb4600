"""The dashboards as files of the chart."""

from __future__ import annotations

import json
from pathlib import Path

from hack.dashboards.dependencies import DEPENDENCIES
from hack.dashboards.operator import OPERATOR
from hack.dashboards.panels import document
from hack.dashboards.payments import PAYMENTS
from hack.dashboards.services import SERVICES
from hack.dashboards.trail import TRAIL

FOLDER = Path(__file__).resolve().parents[2] / "charts/payment-platform/dashboards"
DASHBOARDS = (PAYMENTS, SERVICES, DEPENDENCIES, OPERATOR, TRAIL)


def texts() -> dict[str, str]:
    """File name → content."""
    return {
        f"{dashboard.uid}.json": json.dumps(document(dashboard), indent=1, ensure_ascii=False) + "\n"
        for dashboard in DASHBOARDS
    }
