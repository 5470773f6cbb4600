# The eleven services' image (all but the load balancer run from it). Built by `python3 -m hack.images build services`,
# which puts site-packages/ (from services/requirements.txt, hash-locked) and src/ into the build context.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}

# Third-party code first: it changes seldom, so a change of our own sources rebuilds in seconds.
COPY site-packages/ /app/site-packages/
# Bytecode that is never checked against its source: nothing is written at run time, the root is read-only there.
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/app/site-packages"]

COPY src/ /app/src/
RUN ["python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "/app/src"]

ENV PYTHONPATH=/app/src:/app/site-packages \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python3", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"HTTP_PORT\"]}/live', timeout=2)"]
CMD ["python3", "-m", "payments.run"]
