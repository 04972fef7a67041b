"""Chains ID token <- access token <- refresh token, and the refresh token each was refreshed from."""

from itertools import product

from seed.holders import Holders
from seed.tokens import (
    add_access_token,
    add_id_token,
    add_refresh_token,
    any_expiry,
    any_revocation,
    live,
    long_expired,
    recently_expired,
    revoked_in_grace,
    revoked_past_expire,
    revoked_past_grace,
)


def unrevoked(_batch):
    return None


EXPIRIES = {"live": live, "expired": recently_expired, "long-expired": long_expired}
REVOCATIONS = {
    "unrevoked": unrevoked,
    "in-grace": revoked_in_grace,
    "past-grace": revoked_past_grace,
    "past-expire": revoked_past_expire,
}


def add_chains(batch):
    """Every combination of links that are there or not, stale or not."""
    holders = Holders(batch)
    combinations = product(
        (None, "live", "expired"), EXPIRIES, (None, *REVOCATIONS), (None, *REVOCATIONS)
    )
    for combination in combinations:
        add_chain(batch, holders, *combination)


def add_chain(batch, holders, id_token, access_token, refresh_token, source):
    variant = (
        f"id-{id_token}-access-{access_token}-refresh-{refresh_token}-source-{source}"
    )
    label = batch.label("chain", variant.replace("None", "none"))
    id_key = id_token and add_id_token(
        batch, label, **holders.pair(), expires=EXPIRIES[id_token](batch)
    )
    source_key = source and add_refresh_token(
        batch, f"{label}/source", **holders.pair(), revoked=REVOCATIONS[source](batch)
    )
    access_key = add_access_token(
        batch,
        label,
        **holders.pair(),
        expires=EXPIRIES[access_token](batch),
        id_token=id_key,
        source=source_key,
    )
    if refresh_token:
        add_refresh_token(
            batch,
            label,
            **holders.pair(),
            access_token=access_key,
            revoked=REVOCATIONS[refresh_token](batch),
        )


def add_rotated_chains(batch, chains=20):
    """Families of refresh tokens, each made from the one before, some with their access token left."""
    holders = Holders(batch)
    for _ in range(chains):
        pair = holders.pair()
        family = batch.uuid(batch.now)
        length = batch.random.randint(2, 5)
        source = None
        for position in range(length):
            last = position == length - 1
            label = batch.label("rotated", "last" if last else f"position-{position}")
            access_key = None
            if last or batch.chance(0.4):
                access_key = add_access_token(
                    batch, label, **pair, expires=any_expiry(batch), source=source
                )
            source = add_refresh_token(
                batch,
                label,
                **pair,
                access_token=access_key,
                revoked=None if last else any_revocation(batch),
                family=family,
            )
