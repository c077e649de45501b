# One image for every role: `pullcord up` by default; `pullcord web` and `pullcord work …` for a group.
FROM python:3.11-slim-bookworm AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-dev --no-install-project
COPY app app
COPY workers workers
COPY frontend frontend
COPY manifest manifest
COPY migrations migrations
RUN uv sync --locked --no-dev

FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends libzbar0 && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home pullcord && install -d -o pullcord /data
COPY --from=build /app /app
WORKDIR /app
USER pullcord
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PULLCORD_DATA_DIR=/data PULLCORD_HOST=0.0.0.0
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=4s --start-period=20s CMD ["python", "-m", "workers.health"]
ENTRYPOINT ["pullcord"]
CMD ["up"]
