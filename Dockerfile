# The relay as an image: two stages, no compiler, no root, and nothing written outside /var/lib/relay and /tmp.
#
#   docker build -t clinic-relay .
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges --stop-timeout 75 \
#     -v relay-data:/var/lib/relay -v relay-keys:/var/lib/relay-keys -v ./config:/etc/relay:ro -p 2525:2525 clinic-relay
#
# In the mounted relay.yaml: `data_dir: /var/lib/relay`, `keys_dir: /var/lib/relay-keys`, the listeners on 0.0.0.0.
# `http.listen` stays on loopback: the health check asks from inside (HEALTH_URL says where, if not on port 8025), and
# so does a Prometheus that shares the container's network. deploy/compose.yaml has all of it together.

ARG PYTHON=3.11.13-slim-bookworm

FROM python:${PYTHON} AS build
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/relay
# First what changes seldom: with equal lock files these two layers are reused.
COPY requirements/build.txt requirements/runtime.txt requirements/
RUN /opt/relay/bin/pip install --require-hashes -r requirements/runtime.txt \
 && python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md CHANGELOG.md ./
COPY relay relay
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/relay/bin/pip install --no-deps --no-index dist/*.whl \
 && /opt/relay/bin/pip uninstall --yes pip \
 && python -m compileall -q /opt/relay

FROM python:${PYTHON}
RUN useradd --system --uid 10001 --home-dir /var/lib/relay --shell /usr/sbin/nologin relay \
 && install -d -o relay -g relay -m 0700 /var/lib/relay /var/lib/relay-keys
COPY --from=build /opt/relay /opt/relay
ENV PATH=/opt/relay/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    RELAY_CONFIG=/etc/relay/relay.yaml \
    HEALTH_URL=http://127.0.0.1:8025/healthz
USER relay
WORKDIR /var/lib/relay
VOLUME ["/var/lib/relay", "/var/lib/relay-keys"]
EXPOSE 2525 465 587
# SIGTERM drains; `docker stop` must leave it the time (drain: 30s, and what closes after it): --time 75.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["relay"]
CMD ["serve"]
