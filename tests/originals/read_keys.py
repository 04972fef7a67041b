"""Reads and writes the cache of a HIdP process that has no network, and prints what came of it as JSON.

The cache is the one in ORACLE_CACHE (JSON, as in Django's CACHES), the database the SQLite file in
ORACLE_DATABASE. With ORACLE_NETWORK=open, the network is left as it is. Standard input is a JSON list of operations, each a list of a name and its arguments.
"""

import json
import os
import sys
from contextlib import nullcontext
from datetime import datetime
from io import StringIO
from unittest import mock
from urllib.parse import urlsplit

# No __pycache__ in the work tree.
sys.dont_write_bytecode = True

import cut_network


def create_table():
    from django.core.management import call_command

    call_command("createcachetable", verbosity=0)


def read_keys(provider, now=None, uri="https://provider.example/keys"):
    """The keys that HIdP has of a provider, at an instant if given, and what was refused."""
    from hidp.federated.oidc.jwks import get_oidc_client_jwks

    client = configured(provider, uri)
    cut_network.refused.clear()
    with frozen(now):
        jwks = get_oidc_client_jwks(client)
    return {
        "keys": None if jwks is None else [describe(key) for key in jwks["keys"]],
        "refused": list(cut_network.refused),
    }


def refresh(provider, uri):
    """Runs the original command for a provider, and gives what it prints."""
    from django.core.management import call_command

    configured(provider, uri)
    output = StringIO()
    call_command("refresh_oidc_clients_jwks", stdout=output)
    return output.getvalue()


def configured(provider, uri):
    from hidp.config import oidc_clients
    from hidp.federated.providers.base import OIDCClient

    class Client(OIDCClient):
        provider_key = provider
        issuer = "https://provider.example"
        authorization_endpoint = token_endpoint = userinfo_endpoint = issuer
        jwks_uri = uri

    client = Client(client_id="oracle")
    oidc_clients.configure_oidc_clients(client)
    return client


def describe(key):
    return {"kid": key.get("kid"), "thumbprint": key.thumbprint()}


def frozen(now):
    if now is None:
        return nullcontext()
    return mock.patch(
        "django.core.cache.backends.db.tz_now",
        return_value=datetime.fromisoformat(now),
    )


def set_value(key, value, timeout):
    from django.core.cache import cache

    cache.set(key, value, timeout)


def add_value(key, value, timeout):
    from django.core.cache import cache

    return cache.add(key, value, timeout)


def get_value(key):
    from django.core.cache import cache

    return cache.get(key)


OPERATIONS = {
    function.__name__: function
    for function in (create_table, read_keys, refresh, set_value, add_value, get_value)
}


def main():
    cache = urlsplit(json.loads(os.environ["ORACLE_CACHE"])["LOCATION"])
    if os.environ["ORACLE_NETWORK"] != "open":
        cut_network.cut((cache.hostname, cache.port) if cache.scheme == "redis" else None)

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "keys_settings"
    django.setup()
    operations = json.load(sys.stdin)
    results = [OPERATIONS[name](*arguments) for name, *arguments in operations]
    json.dump(results, sys.stdout)


main()
