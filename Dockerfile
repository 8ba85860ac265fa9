# One image for every process of Sluice; the command says which:
#
#   docker build -t sluice .
#   docker run -v ./sluice.yaml:/etc/sluice/sluice.yaml:ro sluice python -m sluice.writer --destination crm
#
# `--target sandbox` builds the stand-in vendor instead, which the product image does not contain.

FROM python:3.13-slim AS base
ENV PATH=/opt/sluice/bin:$PATH \
    PYTHONUNBUFFERED=1
RUN groupadd --system --gid 10001 sluice \
 && useradd --system --uid 10001 --gid sluice --no-create-home sluice

FROM base AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_PYTHON=/opt/sluice/bin/python
WORKDIR /src
COPY constraints.txt pyproject.toml README.md ./
# Dependencies first, with an empty package: a change of the code does not install them again.
RUN mkdir -p services/sluice \
 && python -m venv --without-pip /opt/sluice \
 && pip install --constraint constraints.txt '.[salesforce]'
COPY schemas schemas
COPY services/sluice services/sluice
RUN pip install --no-deps --force-reinstall .

FROM build AS build-sandbox
COPY services/sandbox services/sandbox
RUN pip install --constraint constraints.txt '.[sandbox]'

FROM base AS sandbox
COPY --from=build-sandbox /opt/sluice /opt/sluice
USER 10001:10001
CMD ["python", "-m", "sandbox", "--help"]

# Last, so that it is what a build without a target makes.
FROM base AS sluice
COPY --from=build /opt/sluice /opt/sluice
USER 10001:10001
# Every process looks for sluice.yaml where it is started.
WORKDIR /etc/sluice
EXPOSE 9464
CMD ["sluice", "--help"]
