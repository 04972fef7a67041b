"""Users, their email changes, and sessions."""

from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from hidp.accounts.models import EmailChangeRequest

from seed.cutoffs import ACCOUNT_AGE, EMAIL_CHANGE_AGE, around

User = get_user_model()


def add_user(batch, label, *, joined, verified):
    return batch.add(
        User,
        id=batch.uuid(joined),
        first_name=label,
        last_name=batch.random.choice(("", "Ünïcode 'quoted' \"name\"", "Doe")),
        email=f"{label}@example.com",
        password="!",
        date_joined=joined,
        email_verified=verified,
        last_login=batch.maybe(0.5, joined),
        agreed_to_tos=batch.maybe(0.5, joined),
        is_active=batch.chance(0.9),
    )


def add_stale_user(batch, label):
    joined = batch.ago(
        ACCOUNT_AGE + timedelta(days=1), ACCOUNT_AGE + timedelta(days=300)
    )
    return add_user(batch, label, joined=joined, verified=None)


def add_live_user(batch, label):
    joined = batch.ago(timedelta(days=8), timedelta(days=400))
    return add_user(batch, label, joined=joined, verified=joined + timedelta(hours=1))


def add_joined_around_the_cutoff(batch, dependants):
    for name, joined in around(batch.now - ACCOUNT_AGE).items():
        label = batch.label("joined", f"unverified-{name}")
        dependants.add(add_user(batch, label, joined=joined, verified=None), 1)
        label = batch.label("joined", f"verified-{name}")
        verified = batch.ago(timedelta(0), timedelta(days=1))
        dependants.add(add_user(batch, label, joined=joined, verified=verified), 1)


def add_email_change(batch, label, *, user, created, by_current, by_proposed):
    batch.add(
        EmailChangeRequest,
        id=batch.uuid(created),
        user_id=user,
        current_email=f"{user.hex}@example.com",
        proposed_email=f"{label}@example.com",
        confirmed_by_current_email=by_current,
        confirmed_by_proposed_email=by_proposed,
        created_at=created,
    )


def add_email_changes(batch):
    confirmations = {
        "unconfirmed": (False, False),
        "by-current": (True, False),
        "by-proposed": (False, True),
        "by-both": (True, True),
    }
    for name, created in around(batch.now - EMAIL_CHANGE_AGE).items():
        for confirmation, (by_current, by_proposed) in confirmations.items():
            label = batch.label("email-change", f"{confirmation}-{name}")
            user = add_live_user(batch, batch.label("holder", "user"))
            add_email_change(
                batch,
                label,
                user=user,
                created=created,
                by_current=by_current,
                by_proposed=by_proposed,
            )


def add_session(batch, label, expires):
    batch.add(Session, session_key=label, session_data="", expire_date=expires)


def add_sessions(batch):
    for name, expires in around(batch.now).items():
        add_session(batch, batch.label("session", name), expires)
