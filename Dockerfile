# The relay as an image: two stages, no compiler, no root, and nothing written outside /var/lib/relay.
#
#   docker build -t clinic-relay .
#   docker run --read-only --tmpfs /tmp -v relay-data:/var/lib/relay -v ./config:/etc/relay:ro -p 2525:2525 clinic-relay
#
# In the mounted relay.yaml: `data_dir: /var/lib/relay`, and the listeners on 0.0.0.0. `http.listen` may stay on loopback;
# the health check asks from inside (HEALTH_URL says where, if not on port 8025).

FROM python:3.11-slim-bookworm AS build
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
 && /opt/relay/bin/pip uninstall --yes pip

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /var/lib/relay --shell /usr/sbin/nologin relay \
 && install -d -o relay -g relay -m 0700 /var/lib/relay
COPY --from=build /opt/relay /opt/relay
ENV PATH=/opt/relay/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    RELAY_CONFIG=/etc/relay/relay.yaml \
    HEALTH_URL=http://127.0.0.1:8025/healthz
USER relay
VOLUME /var/lib/relay
EXPOSE 2525 465 587
# SIGTERM drains; `docker stop` must leave it the time (drain: 30s), for example with --time 40.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(os.environ['HEALTH_URL'], timeout=4)"]
ENTRYPOINT ["relay"]
CMD ["serve"]
