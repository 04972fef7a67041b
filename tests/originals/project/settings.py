"""A deployment of HIdP with every optional part switched on, so that all of its tables exist."""

import json
import os

from hidp.config import get_oauth2_provider_settings

from project.databases import database_at

SECRET_KEY = "the oracle signs nothing"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "people.User"
ROOT_URLCONF = "project.urls"
LOGIN_URL = "hidp_accounts:login"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "project.people",
    "hidp",
    "hidp.accounts",
    "hidp.csp",
    "hidp.federated",
    "oauth2_provider",
    "hidp.oidc_provider",
    "rest_framework",
    "hidp.api",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "hidp.otp",
]

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "hidp.rate_limit.middleware.RateLimitMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {"default": database_at(os.environ["ORACLE_DATABASE"])}

OAUTH2_PROVIDER = (
    get_oauth2_provider_settings(OIDC_RSA_PRIVATE_KEY="")
    # The pause between two batches changes nothing about what is removed.
    | {"CLEAR_EXPIRED_TOKENS_BATCH_INTERVAL": 0}
    | json.loads(os.environ.get("ORACLE_SETTINGS", "{}"))
)
