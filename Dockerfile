# The image of worker and look-ups. BASE needs only python3, from 3.11 to 3.13, with venv. Both stages start from it.
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
ENV PYTHONSAFEPATH=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
COPY requirements-runtime.lock requirements.lock ./
# setuptools, which makes the wheel, has its sum in the larger lock. The image needs no compiler: all packages are
# wheels, except faust-streaming on Linux on ARM, which is built there without its optional C parts.
RUN python3 -m venv /opt/build \
    && python3 -m venv --without-pip /opt/headrace \
    && sed -n '/^setuptools==/,/# via/p' requirements.lock > build.lock \
    && /opt/build/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r build.lock \
    && /opt/build/bin/pip --python /opt/headrace/bin/python install --no-cache-dir --require-hashes \
        -r requirements-runtime.lock
COPY pyproject.toml README.md LICENSE ./
COPY clients/python clients/python
COPY app app
COPY agents agents
COPY models models
RUN /opt/build/bin/pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /src/dist ./clients/python . \
    && /opt/build/bin/pip --python /opt/headrace/bin/python install --no-cache-dir --no-deps --no-index \
        --find-links /src/dist headrace-client headrace

FROM ${BASE}
# `make image` gives the version of pyproject.toml.
ARG VERSION=unknown
LABEL org.opencontainers.image.title="Headrace" \
      org.opencontainers.image.description="Checked Kafka events in, a fresh top-k list in Redis milliseconds later" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
# NUMBA_CACHE_DIR must be writable: the machine code depends on the processor, so it cannot be shipped.
# PYTHONDONTWRITEBYTECODE: pip compiled everything above, and the file system may be read-only.
# Nothing outside reaches a container's loopback address, so Headrace listens on all addresses.
ENV PATH=/opt/headrace/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    NUMBA_CACHE_DIR=/var/lib/headrace/numba \
    HEADRACE_MODEL_DIR=/opt/headrace/onnx \
    HEADRACE_WORKER_HOST=0.0.0.0 \
    HEADRACE_SERVE_HOST=0.0.0.0
RUN groupadd --gid 10001 headrace \
    && useradd --uid 10001 --gid 10001 --no-log-init --create-home --skel /dev/null --home-dir /var/lib/headrace headrace
COPY --from=build /opt/headrace /opt/headrace
COPY onnx /opt/headrace/onnx
USER 10001:10001
# Snapshots and compiled code are written here: the only folder that a read-only container must mount.
WORKDIR /var/lib/headrace
EXPOSE 6066 6067
# No HEALTHCHECK: Kubernetes probes each command on its own port, and one check could not fit both.
ENTRYPOINT ["headrace"]
CMD ["--help"]
