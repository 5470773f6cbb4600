"""The command of every service pod: SERVICE picks the app, uvicorn serves it.

On SIGTERM the pod first fails its readiness and waits out the delay of the endpoints, then drains and closes.
From the signal on each answer ends its connection, so that callers look for another pod: what is sent on a
kept connection at the moment when it is closed has no answer, and a payment must not be sent again by itself.
"""

import importlib
import os
import sys
import time
from types import FrameType

import uvicorn
from fastapi import FastAPI

from payments.common import logs
from payments.common.settings import ServiceSettings

MODULES = {
    "api-gateway": "gateway",
    "confirm-service": "confirm",
    "risk-service": "risk",
    "notification-service": "notification",
    "otp-service": "otp",
    "account-service": "account",
    "audit-service": "audit",
    "ofac-service": "ofac",
    "kyc-service": "kyc",
    "partner-bank-api": "partner_bank",
}


LOOK_SECONDS = 10  # between two looks at the file with the level of the logs


class Server(uvicorn.Server):
    """uvicorn, with a pause between failing readiness and draining, and an eye on the level of the logs."""

    def __init__(
        self, config: uvicorn.Config, app: FastAPI, delay: float, level: logs.LevelFile | None = None
    ) -> None:
        super().__init__(config)
        self._app = app
        self._delay = delay
        self._level = level
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._app.state.stopping:  # the second signal is meant at once
            super().handle_exit(sig, frame)
            return
        self._app.state.stopping = True
        # uvicorn makes its headers anew each second, from these.
        self.config.encoded_headers = [*self.config.encoded_headers, (b"connection", b"close")]
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]

    async def on_tick(self, counter: int) -> bool:
        # uvicorn ticks ten times a second; its counter begins anew each day.
        if self._level is not None and counter % (LOOK_SECONDS * 10) == 0:
            self._level.look()
        if self._app.state.stopping and not self.should_exit:
            now = time.monotonic()
            self._stop_at = self._stop_at if self._stop_at is not None else now + self._delay
            if now >= self._stop_at:
                self.should_exit = True
        return await super().on_tick(counter)


def main() -> int:
    """Serve until told to stop; 2 when SERVICE names no service."""
    service = os.environ.get("SERVICE", "")
    if service not in MODULES:
        sys.stderr.write(f"SERVICE must be one of {', '.join(MODULES)}; it is {service!r}\n")
        return 2
    module = importlib.import_module(f"payments.{MODULES[service]}.app")
    settings: ServiceSettings = module.Settings()
    logs.configure(settings.service, settings.log_level)
    level = logs.LevelFile(settings.log_level_file) if settings.log_level_file else None
    if level is not None:
        level.look()
    recording = None
    if settings.otel_exporter_otlp_endpoint:
        # Loaded only then: it takes time and memory.
        recording = importlib.import_module("payments.common.telemetry").start(settings)
    app: FastAPI = module.create(settings)
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # the gateway itself decides whose X-Forwarded-* to believe
        date_header=False,
        timeout_keep_alive=75,  # longer than any client of ours keeps an idle connection
        timeout_graceful_shutdown=20,
    )
    try:
        Server(config, app, settings.shutdown_delay_seconds, level).run()
    finally:
        if recording is not None:
            recording.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
