# syntax=docker/dockerfile:1
# GraphiQL, by npm; the stage after it checks every byte.
FROM node:22-slim AS explorer
WORKDIR /packed
COPY api/web/graphiql.json /graphiql.json
RUN npm pack --silent $(node -p "Object.keys(require('/graphiql.json')).join(' ')")

FROM python:3.13-slim-trixie AS build
RUN python -m venv /opt/venv
WORKDIR /app
COPY requirements/run.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    /opt/venv/bin/pip install --require-hashes -r requirements/run.txt
COPY pyproject.toml ./
COPY api api
COPY domain domain
COPY infra infra
COPY migrations migrations
RUN /opt/venv/bin/pip install --no-index --no-deps --no-build-isolation \
        --config-settings editable_mode=compat --editable . \
    && /opt/venv/bin/python -m compileall -q /app
RUN --mount=from=explorer,source=/packed,target=/packed \
    /opt/venv/bin/smarketing explorer fetch --from /packed

FROM python:3.13-slim-trixie
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin smarketing
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SMARKETING_ENV=production \
    HOST=0.0.0.0 \
    PORT=8000
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=2)"]
CMD ["smarketing", "serve"]
