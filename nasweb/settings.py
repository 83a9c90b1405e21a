"""Django's settings, read from the environment; `docs/` lists the variables."""

import os
from pathlib import Path

from nasweb import environment
from nasweb.home import REPOSITORY, home, load_secrets, socket_path

BASE_DIR = REPOSITORY
NASWEB_HOME = home()
_SECRETS = load_secrets(NASWEB_HOME)
SECRET_KEY = os.environ.get("NASWEB_SECRET_KEY") or _SECRETS.secret_key
DEBUG = False
NASWEB_HOST = os.environ.get("NASWEB_HOST") or "127.0.0.1"
NASWEB_PORT = int(environment.number("NASWEB_PORT", 8000))
ALLOWED_HOSTS = environment.allowed_hosts(NASWEB_HOST)
CSRF_TRUSTED_ORIGINS = environment.words("NASWEB_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_htmx",
    "nasweb",
    "searches",
    "workers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "nasweb.middleware.ContentSecurityPolicy",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "nasweb.middleware.Sentences",
]
ROOT_URLCONF = "nasweb.urls"
ASGI_APPLICATION = "nasweb.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database and files
DATABASES = {"default": environment.database(os.environ.get("DATABASE_URL", ""), NASWEB_HOME)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DOWNLOADS = NASWEB_HOME / "data"
NAS_DATA_DIRS = [*(Path(place).expanduser() for place in environment.words("NAS_DATA_DIR", os.pathsep)), DOWNLOADS]
# The engine finds tables and added datasets through the environment, which the workers' runners inherit.
os.environ["NAS_DATA_DIR"] = os.pathsep.join(map(str, NAS_DATA_DIRS))
os.environ.setdefault("NAS_TABLE_DIR", str(NASWEB_HOME / "tables"))
os.environ.setdefault("NAS_DATASET_DIR", str(NASWEB_HOME / "datasets"))
# The longest file that a browser may send to make a dataset of.
UPLOAD_BYTES = int(environment.number("NASWEB_UPLOAD_MB", 4000) * 1_000_000)
STORAGES = {
    "default": environment.storage(os.environ.get("STORAGE_URL", ""), NASWEB_HOME),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

# Static files: served from where they lie, or, where NASWEB_COLLECTED says so, from what collectstatic gathered.
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "nasweb.finders.WheelFinder",
]
if os.environ.get("NASWEB_COLLECTED") == "1":
    STORAGES["staticfiles"] = {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}
else:
    WHITENOISE_USE_FINDERS = True
    WHITENOISE_AUTOREFRESH = True
    WHITENOISE_MAX_AGE = 0

# Broker and channel layer
EMBEDDED = not os.environ.get("BROKER_URL")
_SOCKET = socket_path(NASWEB_HOME)
BROKER_URL = os.environ.get("BROKER_URL") or (f"redis+socket://:{_SECRETS.valkey_password}@{_SOCKET}?virtual_host=0")
CHANNEL_URL = os.environ.get("CHANNEL_URL") or (
    f"unix://:{_SECRETS.valkey_password}@{_SOCKET}?db=1" if EMBEDDED else BROKER_URL
)
CHANNEL_LAYERS = {"default": environment.channel_layer(CHANNEL_URL)}
CELERY_BROKER_URL = BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_IMPORTS = ("workers.tasks",)
DEFAULT_QUEUE = CELERY_TASK_DEFAULT_QUEUE = "default"
# Messages are nudges: results live in the database, and a lost one is sent again by the sweep.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
if BROKER_URL.startswith(("redis", "rediss", "valkey")):
    CELERY_WORKER_DISABLE_PREFETCH = True
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 86400, "global_keyprefix": "nas:"}

# Times of the search machinery, in seconds
LEASE_SECONDS = environment.number("NASWEB_LEASE_SECONDS", 30)
HEARTBEAT_SECONDS = environment.number("NASWEB_HEARTBEAT_SECONDS", 10)
REDISPATCH_SECONDS = environment.number("NASWEB_REDISPATCH_SECONDS", 60)
SWEEP_SECONDS = environment.number("NASWEB_SWEEP_SECONDS", 1)

# People
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_COOKIE_NAME = "nasweb_session"
CSRF_COOKIE_NAME = "nasweb_csrf"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if os.environ.get("NASWEB_HTTPS") == "1":
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 30 * 24 * 3600

# Languages and time
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("NASWEB_TIME_ZONE") or "UTC"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        **{name: {"level": "INFO"} for name in ("nas", "nasweb", "searches", "workers", "celery")},
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
    },
}
