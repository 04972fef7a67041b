"""What goes, and what stays, with a user who goes: rows of others that hang on rows of hers.

Every constellation is there with a stale and with a live owner. The other user is always live.
"""

from seed.cutoffs import around
from seed.holders import Holders
from seed.people import add_live_user, add_stale_user
from seed.tokens import (
    add_access_token,
    add_application,
    add_device_grant,
    add_grant,
    add_id_token,
    add_refresh_token,
    any_expiry,
    any_revocation,
)

OWNERS = {"stale-owner": add_stale_user, "live-owner": add_live_user}


def add_ownership(batch):
    for variant, add_owner in OWNERS.items():
        for constellation in CONSTELLATIONS:
            category = constellation.__name__.replace("_", "-")
            holders = Holders(batch, users=1)
            for _ in range(3):
                owner = add_owner(batch, batch.label("owner", variant))
                constellation(batch, batch.label(category, variant), holders, owner)


def on_owned_application(batch, label, holders, owner):
    """Everything another user has on it goes with the application."""
    owned = {
        "user": holders.user(),
        "application": add_application(batch, label, owner=owner),
    }
    add_grant(batch, label, **owned, expires=any_expiry(batch))
    id_token = add_id_token(batch, label, **owned, expires=any_expiry(batch))
    source = add_refresh_token(
        batch, f"{label}/source", **owned, revoked=any_revocation(batch)
    )
    access_token = add_access_token(
        batch,
        label,
        **owned,
        expires=any_expiry(batch),
        id_token=id_token,
        source=source,
    )
    add_refresh_token(batch, label, **owned, access_token=access_token)
    # A client acting for itself.
    add_access_token(
        batch,
        f"{label}/client",
        user=None,
        application=owned["application"],
        expires=any_expiry(batch),
    )


def access_on_owned_application(batch, label, holders, owner):
    """The access token goes; its refresh token, its source and its ID token are elsewhere and stay."""
    id_token = add_id_token(batch, label, **holders.pair(), expires=any_expiry(batch))
    source = add_refresh_token(
        batch, f"{label}/source", **holders.pair(), revoked=any_revocation(batch)
    )
    access_token = add_access_token(
        batch,
        label,
        user=holders.user(),
        application=add_application(batch, label, owner=owner),
        expires=any_expiry(batch),
        id_token=id_token,
        source=source,
    )
    add_refresh_token(batch, label, **holders.pair(), access_token=access_token)


def id_on_owned_application(batch, label, holders, owner):
    """The ID token takes the access token along, though that one is on another application."""
    id_token = add_id_token(
        batch,
        label,
        user=holders.user(),
        application=add_application(batch, label, owner=owner),
        expires=any_expiry(batch),
    )
    add_access_with_refresh(batch, label, holders, id_token=id_token)


def id_of_owner(batch, label, holders, owner):
    """As above, with the ID token going for its user's sake."""
    id_token = add_id_token(
        batch,
        label,
        user=owner,
        application=holders.application(),
        expires=any_expiry(batch),
    )
    add_access_with_refresh(batch, label, holders, id_token=id_token)


def source_of_owner(batch, label, holders, owner):
    """The refresh token goes; the access token made from it stays and forgets its source."""
    source = add_refresh_token(
        batch,
        f"{label}/source",
        user=owner,
        application=holders.application(),
        revoked=any_revocation(batch),
    )
    add_access_with_refresh(batch, label, holders, source=source)


def source_on_owned_application(batch, label, holders, owner):
    source = add_refresh_token(
        batch,
        f"{label}/source",
        user=holders.user(),
        application=add_application(batch, label, owner=owner),
        revoked=any_revocation(batch),
    )
    add_access_with_refresh(batch, label, holders, source=source)


def refresh_of_owner(batch, label, holders, owner):
    """The refresh token goes; the access token that it is bound to stays."""
    access_token = add_access_token(
        batch, label, **holders.pair(), expires=any_expiry(batch)
    )
    add_refresh_token(
        batch,
        label,
        user=owner,
        application=holders.application(),
        access_token=access_token,
    )


def all_of_owner(batch, label, holders, owner):
    own = {"user": owner, "application": holders.application()}
    add_grant(batch, label, **own, expires=any_expiry(batch))
    id_token = add_id_token(batch, label, **own, expires=any_expiry(batch))
    access_token = add_access_token(
        batch, label, **own, expires=any_expiry(batch), id_token=id_token
    )
    add_refresh_token(batch, label, **own, access_token=access_token)


CONSTELLATIONS = (
    on_owned_application,
    access_on_owned_application,
    id_on_owned_application,
    id_of_owner,
    source_of_owner,
    source_on_owned_application,
    refresh_of_owner,
    all_of_owner,
)


def add_access_with_refresh(batch, label, holders, *, id_token=None, source=None):
    access_token = add_access_token(
        batch,
        label,
        **holders.pair(),
        expires=any_expiry(batch),
        id_token=id_token,
        source=source,
    )
    add_refresh_token(batch, label, **holders.pair(), access_token=access_token)


def add_device_grants(batch):
    """No command removes these when they expire: they go with their user, or stay."""
    for name, expires in around(batch.now).items():
        add_device_grant(
            batch,
            batch.label("device-grant", f"nobody-{name}"),
            user=None,
            expires=expires,
        )
        for variant, add_owner in OWNERS.items():
            owner = add_owner(batch, batch.label("owner", variant))
            label = batch.label("device-grant", f"{variant}-{name}")
            add_device_grant(batch, label, user=owner, expires=expires)
