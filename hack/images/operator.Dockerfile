# The operator's image. `python3 -m hack.images build operator` puts src/ and charts/ into the build context;
# DEPENDENCIES_IMAGE is what dependencies.Dockerfile makes, with a static helm in /usr/local/bin.
ARG DEPENDENCIES_IMAGE
FROM ${DEPENDENCIES_IMAGE}
LABEL org.opencontainers.image.title="Payment platform operator"
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"PAYMENT_OPERATOR_HEALTH_PORT\", \"8080\")}/healthz', timeout=2)"]
CMD ["python3", "-m", "payment_operator.main"]
COPY charts/ /charts/
COPY src/ /app/src/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/app/src"]
USER 10001:10001
