# One image for every service of Nightdesk; compose.yaml gives each its command.
#
#   uv      the installer, nothing of which reaches the last stage
#   build   the virtual environment from the lock, byte-compiled
#   client  pg_dump and pg_restore, for backups, with what the last stage lacks to run them
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

# Two programs and ten small libraries: Debian's package would bring Perl along, twenty times as large. The version is that
# of the server in compose.yaml or newer: an older pg_dump refuses.
FROM ${PYTHON_IMAGE} AS client
RUN find /usr/lib /usr/local/lib -name '*.so*' -printf '%f\n' > /tmp/there \
    && apt-get update && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && install -D -t /client/bin /usr/lib/postgresql/17/bin/pg_dump /usr/lib/postgresql/17/bin/pg_restore \
    && ldd /client/bin/* | awk '$2 == "=>" {print $3}' | sort -u | while read -r library; do \
        grep -qxF "$(basename "$library")" /tmp/there || install -D -t /client/lib "$library"; done

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/nightdesk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
# A named volume takes the owner of the image's directory when it is first filled, so every directory that a service
# writes to, and every secret that init writes, exists here with the service's uid.
RUN groupadd --gid 10001 nightdesk \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin nightdesk \
    && install -d -o nightdesk -g nightdesk -m 0750 /var/lib/nightdesk /var/lib/nightdesk/spool /var/lib/nightdesk/recordings \
        /var/lib/nightdesk/alerter /var/lib/nightdesk/logs /var/lib/nightdesk/archive /var/lib/nightdesk/backups \
    && install -d -o nightdesk -g nightdesk -m 0755 /secrets \
        /secrets/postgres /secrets/redis /secrets/migrate /secrets/collector /secrets/worker /secrets/api /secrets/alerter \
        /secrets/grafana /secrets/scheduler /secrets/jobs
COPY --from=client /client/bin/ /usr/local/bin/
COPY --from=client /client/lib/ /usr/local/lib/
RUN ldconfig && pg_dump --version && pg_restore --version
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
