# The services' image (all services but the load balancer run from it). `python3 -m hack.images build services` puts src/
# into the build context; DEPENDENCIES_IMAGE is what dependencies.Dockerfile makes.
ARG DEPENDENCIES_IMAGE
FROM ${DEPENDENCIES_IMAGE}
LABEL org.opencontainers.image.title="Payment platform services"
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HTTP_PORT\"]}/live', timeout=2)"]
CMD ["python3", "-m", "payments.run"]
COPY src/ /app/src/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/app/src"]
USER 10001:10001
