# Third-party code of one of our images, a layer of its own that seldom changes. `python3 -m hack.images build` puts what
# the hash-locked requirements.txt lists (and the operator's helm) into root/ of the build context.
ARG PYTHON_IMAGE
FROM ${PYTHON_IMAGE}
COPY root/ /
# Bytecode that is never checked against its source: nothing is written at run time, the root is read-only there.
RUN ["python3", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "/app/site-packages"]
ENV PYTHONPATH=/app/src:/app/site-packages PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
# Ours, whatever it grows from: the labels of a stand-in below would be inherited.
LABEL dev.paymentplatform.standin="false"
