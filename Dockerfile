# One image for the pages, the sweep and the workers; compose.yaml shows how they go together.
# Written without a Docker at hand: the suite does not build it.
FROM python:3.11-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    NASWEB_HOME=/home/nasweb/var \
    NASWEB_HOST=0.0.0.0 \
    NASWEB_COLLECTED=1

RUN useradd --create-home --uid 1000 nasweb
WORKDIR /home/nasweb/app

# Dependencies first: they change seldom and weigh most.
COPY requirements.txt .
RUN pip install -r requirements.txt

COPY --chown=nasweb:nasweb . .
RUN chown nasweb:nasweb .
USER nasweb
RUN mkdir -p "$NASWEB_HOME" && NASWEB_SECRET_KEY=build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf "$NASWEB_HOME"/*

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"

# Alone, the image is the embedded installation: everything in one container.
CMD ["python", "manage.py", "up"]
