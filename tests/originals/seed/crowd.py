"""Users with a bit of everything, linked at random: what nobody thought of as an edge."""

from datetime import timedelta

from seed.cutoffs import ACCOUNT_AGE, EMAIL_CHANGE_AGE
from seed.people import add_email_change, add_session, add_user
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


def add_crowd(batch, dependants, size):
    users = [add_anybody(batch) for _ in range(size)]
    applications = [
        add_application(
            batch, batch.label("crowd", "application"), owner=batch.random.choice(users)
        )
        for _ in range(size // 10)
    ]
    for user in users:
        dependants.add(user, 0.4)
        if batch.chance(0.3):
            add_any_email_change(batch, user)
        if batch.chance(0.5):
            add_session(batch, batch.label("crowd", "session"), any_expiry(batch))
        if batch.chance(0.1):
            label = batch.label("crowd", "device-grant")
            add_device_grant(batch, label, user=user, expires=any_expiry(batch))
        if applications:
            for _ in range(batch.random.randint(0, 3)):
                add_any_chain(batch, user, users, applications)


def add_anybody(batch):
    joined = batch.ago(timedelta(0), 2 * ACCOUNT_AGE)
    verified = batch.maybe(0.6, joined + timedelta(minutes=1))
    return add_user(
        batch, batch.label("crowd", "user"), joined=joined, verified=verified
    )


def add_any_email_change(batch, user):
    add_email_change(
        batch,
        batch.label("crowd", "email-change"),
        user=user,
        created=batch.ago(timedelta(0), 2 * EMAIL_CHANGE_AGE),
        by_current=batch.chance(0.5),
        by_proposed=batch.chance(0.5),
    )


def add_any_chain(batch, user, users, applications):
    def pair():
        # Links normally belong to one user; the database does not insist on it.
        return {
            "user": batch.random.choice(users) if batch.chance(0.1) else user,
            "application": batch.random.choice(applications),
        }

    label = batch.label("crowd", "chain")
    id_token = source = None
    if batch.chance(0.3):
        add_grant(batch, label, **pair(), expires=any_expiry(batch))
    if batch.chance(0.5):
        id_token = add_id_token(batch, label, **pair(), expires=any_expiry(batch))
    if batch.chance(0.5):
        revoked = batch.maybe(0.8, any_revocation(batch))
        source = add_refresh_token(batch, f"{label}/source", **pair(), revoked=revoked)
    access_token = add_access_token(
        batch,
        label,
        **pair(),
        expires=any_expiry(batch),
        id_token=id_token,
        source=source,
    )
    if batch.chance(0.7):
        revoked = batch.maybe(0.4, any_revocation(batch))
        add_refresh_token(
            batch, label, **pair(), access_token=access_token, revoked=revoked
        )
