"""Neighbouring keys beyond 2^53, which one double stands for: one row goes, its neighbour stays."""

from seed.holders import Holders
from seed.people import add_live_user, add_stale_user
from seed.tokens import (
    add_access_token,
    add_application,
    add_grant,
    add_id_token,
    add_refresh_token,
    live,
    recently_expired,
    revoked_in_grace,
    revoked_past_grace,
)

BASES = (2**53, 2**60)
# What goes and what stays. A double rounds to the even key, so the one that goes is once the even one.
OWNED_OFFSETS = ((0, 1), (5, 4))
EXPIRING_OFFSETS = ((8, 9), (13, 12))
# Where the refresh tokens are from which the access tokens were made.
SOURCE_OFFSET = 32


def add_big_keys(batch):
    holders = Holders(batch, users=1)
    for base in BASES:
        for stale, fresh in OWNED_OFFSETS:
            add_owned(batch, "stale-owner", holders, base + stale, add_stale_user)
            add_owned(batch, "live-owner", holders, base + fresh, add_live_user)
        for stale, fresh in EXPIRING_OFFSETS:
            label = batch.label("big-key-expiring", "expired")
            add_tokens(
                batch,
                label,
                holders.pair(),
                base + stale,
                expiry=recently_expired,
                revoked=revoked_past_grace(batch),
                source_revoked=revoked_past_grace(batch),
            )
            label = batch.label("big-key-expiring", "live")
            add_tokens(
                batch,
                label,
                holders.pair(),
                base + fresh,
                expiry=live,
                revoked=None,
                source_revoked=revoked_in_grace(batch),
            )


def add_owned(batch, variant, holders, key, add_owner):
    label = batch.label("big-key-owned", variant)
    owner = add_owner(batch, batch.label("owner", variant))
    add_application(batch, label, owner=owner, key=key)
    add_tokens(
        batch,
        label,
        {"user": holders.user(), "application": key},
        key,
        expiry=live,
        revoked=None,
        source_revoked=revoked_in_grace(batch),
    )


def add_tokens(batch, label, pair, key, *, expiry, revoked, source_revoked):
    source = key + SOURCE_OFFSET
    add_grant(batch, label, **pair, expires=expiry(batch), key=key)
    add_id_token(batch, label, **pair, expires=expiry(batch), key=key)
    add_refresh_token(
        batch, f"{label}/source", **pair, revoked=source_revoked, key=source
    )
    add_access_token(
        batch,
        label,
        **pair,
        expires=expiry(batch),
        id_token=key,
        source=source,
        key=key,
    )
    add_refresh_token(batch, label, **pair, access_token=key, revoked=revoked, key=key)
