# One image for every service of Nightdesk; compose.yaml gives each its command.
#
#   uv      the installer, nothing of which reaches the last stage
#   build   the virtual environment from the lock, byte-compiled
#   (last)  interpreter, environment, source; runs as uid 10001 and needs to write nothing but its volumes

ARG PYTHON_IMAGE=python:3.13-slim
ARG UV_IMAGE=ghcr.io/astral-sh/uv:0.9

FROM ${UV_IMAGE} AS uv

FROM ${PYTHON_IMAGE} AS build
COPY --from=uv /uv /usr/local/bin/uv
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_PROGRESS=1
RUN python -m venv --without-pip /opt/nightdesk
# Dependencies change rarely, source often: this layer is rebuilt only when the lock changes.
COPY requirements/runtime.txt /tmp/runtime.txt
RUN --mount=type=cache,target=/root/.cache/uv \
    uv pip install --python /opt/nightdesk/bin/python --require-hashes --only-binary :all: -r /tmp/runtime.txt

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/nightdesk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
# A named volume takes the owner of the image's directory when it is first filled, so every directory that a service
# writes to, and every secret that init writes, exists here with the service's uid.
RUN groupadd --gid 10001 nightdesk \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nightdesk \
    && install -d -o nightdesk -g nightdesk -m 0750 /var/lib/nightdesk /var/lib/nightdesk/spool /var/lib/nightdesk/recordings \
        /var/lib/nightdesk/alerter /var/lib/nightdesk/archive /var/lib/nightdesk/backups \
    && install -d -o nightdesk -g nightdesk -m 0755 /secrets \
        /secrets/postgres /secrets/redis /secrets/migrate /secrets/collector /secrets/worker /secrets/api /secrets/alerter \
        /secrets/grafana /secrets/scheduler /secrets/jobs
COPY --from=build /opt/nightdesk /opt/nightdesk
WORKDIR /app
COPY config/ config/
COPY nightdesk/ nightdesk/
COPY services/ services/
COPY deploy/probe.py deploy/probe.py
RUN python -m compileall -q -j 0 nightdesk services
COPY docs/runbooks/ docs/runbooks/
USER 10001:10001
CMD ["python", "-c", "import sys; sys.exit('name a service: python -m services.<name>; compose.yaml shows each')"]
