# The image: docker build -t opd-gateway .
# What it puts in has the same bytes each time; name the base by its digest: --build-arg BASE=python:3.11-slim-bookworm@sha256:...
# Extras that the configuration names: --build-arg EXTRAS="csv-fast drops excel"
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG EXTRAS=""
WORKDIR /src
# Files are dated, and compiled modules marked, by this and not by the clock.
ENV SOURCE_DATE_EPOCH=315532800 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore
COPY requirements/build.txt requirements/run.txt requirements/
COPY requirements/csv-fast.txt requirements/drops.txt requirements/excel.txt requirements/
COPY requirements/soap-security.txt requirements/tracing.txt requirements/
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv /opt/opd-gateway \
    && /opt/opd-gateway/bin/pip install --require-hashes -r requirements/run.txt \
    && for extra in ${EXTRAS}; do \
         /opt/opd-gateway/bin/pip install --require-hashes -r requirements/"${extra}".txt || exit 1; done
COPY pyproject.toml README.md LICENSE ./
COPY gateway gateway
COPY adapters adapters
COPY demo demo
COPY helm/opd-gateway/rules helm/opd-gateway/rules
COPY helm/opd-gateway/dashboards helm/opd-gateway/dashboards
# From here on nothing is fetched.
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && /opt/opd-gateway/bin/pip install --no-deps --no-index dist/*.whl \
    && /opt/opd-gateway/bin/pip check \
    && /opt/opd-gateway/bin/pip uninstall --yes pip setuptools

FROM ${BASE}
LABEL org.opencontainers.image.title="opd-gateway" \
      org.opencontainers.image.description="One clean HTTP API in front of the systems a regency's agencies already run" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 opd-gateway \
    && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /var/lib/opd-gateway --shell /usr/sbin/nologin opd-gateway \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/opd-gateway \
    && install -d /etc/opd-gateway
COPY --from=build /opt/opd-gateway /opt/opd-gateway
ENV PATH=/opt/opd-gateway/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
# gateway.toml and its mappings/ and wsdl/ are mounted here, the ledger's disk at /var/lib/opd-gateway.
WORKDIR /etc/opd-gateway
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8080/livez', timeout=3)"]
ENTRYPOINT ["gateway"]
CMD ["run"]
