# artreg with everything that uv.lock pins. The build fails where the lock is stale.
#   docker build -t artreg . && docker run --rm -v "$PWD/registry:/srv/artreg/registry" artreg list
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
ENV UV_PROJECT_ENVIRONMENT=/opt/artreg UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
COPY pyproject.toml hatch_build.py uv.lock README.md LICENSE ./
RUN uv lock --check && uv sync --frozen --no-dev --no-install-project
COPY src src
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim
# git says from which commit a model is trained.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git=1:* \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 artreg \
    && install --directory --owner artreg /srv/artreg /srv/artreg/registry
COPY --from=build /opt/artreg /opt/artreg
ENV PATH=/opt/artreg/bin:$PATH
USER 10001
WORKDIR /srv/artreg
ENTRYPOINT ["artreg"]
CMD ["--help"]
