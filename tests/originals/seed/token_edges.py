"""Tokens and grants on either side of each cutoff, one cutoff at a time."""

from seed.cutoffs import REFRESH_EXPIRE, REFRESH_GRACE, around
from seed.holders import Holders
from seed.tokens import (
    add_access_token,
    add_grant,
    add_id_token,
    add_refresh_token,
    live,
    recently_expired,
    revoked_in_grace,
)


def add_token_edges(batch):
    holders = Holders(batch)
    add_revoked_around(batch, holders, "revoked-around-grace", REFRESH_GRACE)
    add_revoked_around(batch, holders, "revoked-around-expire", REFRESH_EXPIRE)
    add_idle(batch, holders)
    add_unbound_refresh_tokens(batch, holders)
    add_expiring_around_now(batch, holders)


def add_revoked_around(batch, holders, category, age):
    for name, revoked in around(batch.now - age).items():
        label = batch.label(category, f"unbound-{name}")
        add_refresh_token(batch, label, **holders.pair(), revoked=revoked)
        for expiry in (live, recently_expired):
            label = batch.label(category, f"bound-{name}")
            access_token = add_access_token(
                batch, label, **holders.pair(), expires=expiry(batch)
            )
            add_refresh_token(
                batch,
                label,
                **holders.pair(),
                access_token=access_token,
                revoked=revoked,
            )


def add_idle(batch, holders):
    """Refresh tokens that expire with their access token; before 3.4 also the revoked ones."""
    for name, expires in around(batch.now - REFRESH_EXPIRE).items():
        for category, revoked in (
            ("idle", None),
            ("idle-revoked", revoked_in_grace(batch)),
        ):
            label = batch.label(category, name)
            access_token = add_access_token(
                batch, label, **holders.pair(), expires=expires
            )
            add_refresh_token(
                batch,
                label,
                **holders.pair(),
                access_token=access_token,
                revoked=revoked,
            )


def add_unbound_refresh_tokens(batch, holders):
    for _ in range(5):
        label = batch.label("refresh-unbound", "unrevoked")
        add_refresh_token(batch, label, **holders.pair())
        label = batch.label("refresh-unbound", "revoked-in-grace")
        add_refresh_token(
            batch, label, **holders.pair(), revoked=revoked_in_grace(batch)
        )


def add_expiring_around_now(batch, holders):
    for name, expires in around(batch.now).items():
        label = batch.label("access-expiring", name)
        add_access_token(batch, label, **holders.pair(), expires=expires)
        label = batch.label("access-expiring", f"of-nobody-{name}")
        add_access_token(batch, label, user=None, application=None, expires=expires)

        label = batch.label("id-expiring", name)
        add_id_token(batch, label, **holders.pair(), expires=expires)
        label = batch.label("id-expiring", f"with-access-token-{name}")
        id_token = add_id_token(batch, label, **holders.pair(), expires=expires)
        add_access_token(
            batch, label, **holders.pair(), expires=expires, id_token=id_token
        )

        label = batch.label("grant-expiring", name)
        add_grant(batch, label, **holders.pair(), expires=expires)
