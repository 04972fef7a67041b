"""Has HIdP judge ID tokens, in a process that has no network, and prints what came of each as a JSON list.

Standard input is a JSON object: the `issuer`, the `client_id`, the key set as the text `jwks`, the instant `now` in
seconds since 1970, and `tokens`. What comes of a token is its `claims`, or the name of the `error`: HIdP's own
OIDCError with its message, or whatever else got out of HIdP. `microsoft` takes HIdP's client for Microsoft, with its
own issuer.
"""

import json
import os
import sys
from unittest import mock

# No __pycache__ in the work tree.
sys.dont_write_bytecode = True

import cut_network  # noqa: E402


def make_client(given):
    from hidp.federated.providers.base import OIDCClient
    from hidp.federated.providers.microsoft import MicrosoftOIDCClient

    if given.get("microsoft"):
        return MicrosoftOIDCClient(client_id=given["client_id"])

    class Client(OIDCClient):
        provider_key = "acme"
        issuer = given["issuer"]
        authorization_endpoint = token_endpoint = userinfo_endpoint = issuer
        jwks_uri = "https://provider.example/jwks"

    return Client(client_id=given["client_id"])


def judge(token, client):
    from hidp.federated.oidc.authorization_code_flow import parse_id_token

    try:
        return {"claims": parse_id_token(token, client=client)}
    # What HIdP does not expect is an answer too: its caller fails, and nobody is let in.
    except Exception as error:
        return {"error": type(error).__name__, "message": str(error)}


def main():
    given = json.load(sys.stdin)
    cut_network.cut(None)

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "keys_settings"
    django.setup()

    from django.core.cache import cache
    from hidp.config import oidc_clients

    client = make_client(given)
    oidc_clients.configure_oidc_clients(client)
    # HIdP and the library that it verifies with ask for the time in this one way.
    with mock.patch("time.time", return_value=given["now"]):
        cache.set(f"hidp:oidc_client_jwks:{client.provider_key}", given["jwks"], 600)
        results = [judge(token, client) for token in given["tokens"]]
    if cut_network.refused:
        raise RuntimeError(f"the network was wanted: {cut_network.refused}")
    json.dump(results, sys.stdout)


main()
