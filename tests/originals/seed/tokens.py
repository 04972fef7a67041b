"""Applications, grants and the three kinds of token, one row each."""

from datetime import timedelta
from hashlib import sha256

from oauth2_provider.models import (
    AccessToken,
    Application,
    DeviceGrant,
    Grant,
    IDToken,
    RefreshToken,
)

from seed.cutoffs import REFRESH_EXPIRE, REFRESH_GRACE

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def checksum(token):
    return sha256(token.encode()).hexdigest()


def given(key):
    return {} if key is None else {"id": key}


def add_application(batch, label, *, owner, key=None):
    return batch.add(
        Application,
        **given(key),
        client_id=label,
        user_id=owner,
        client_type=Application.CLIENT_CONFIDENTIAL,
        authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
        client_secret="",
        name=label,
    )


def add_id_token(batch, label, *, user, application, expires, key=None):
    return batch.add(
        IDToken,
        **given(key),
        jti=batch.uuid(batch.now),
        user_id=user,
        application_id=application,
        expires=expires,
        scope=label,
    )


def add_access_token(
    batch, label, *, user, application, expires, id_token=None, source=None, key=None
):
    return batch.add(
        AccessToken,
        **given(key),
        token=label,
        token_checksum=checksum(label),
        user_id=user,
        application_id=application,
        expires=expires,
        id_token_id=id_token,
        source_refresh_token_id=source,
        scope="openid",
    )


def add_refresh_token(
    batch,
    label,
    *,
    user,
    application,
    access_token=None,
    revoked=None,
    family=None,
    key=None
):
    return batch.add(
        RefreshToken,
        **given(key),
        token=label,
        token_checksum=checksum(label),
        user_id=user,
        application_id=application,
        access_token_id=access_token,
        revoked=revoked,
        token_family=family,
    )


def add_grant(batch, label, *, user, application, expires, key=None):
    return batch.add(
        Grant,
        **given(key),
        code=label,
        user_id=user,
        application_id=application,
        expires=expires,
        redirect_uri="https://client.example.com/callback",
        scope="openid",
    )


def add_device_grant(batch, label, *, user, expires):
    return batch.add(
        DeviceGrant,
        device_code=label,
        user_code=label,
        user_id=user,
        expires=expires,
        client_id="device",
        scope="openid",
    )


def live(batch):
    return batch.ahead(SECOND, DAY)


def recently_expired(batch):
    """Expired, but not so long ago that a refresh token expires with it."""
    return batch.ago(SECOND, REFRESH_EXPIRE - DAY)


def long_expired(batch):
    return batch.ago(REFRESH_EXPIRE + DAY, REFRESH_EXPIRE + 200 * DAY)


def revoked_in_grace(batch):
    return batch.ago(SECOND, REFRESH_GRACE - SECOND)


def revoked_past_grace(batch):
    return batch.ago(REFRESH_GRACE + SECOND, REFRESH_EXPIRE - DAY)


def revoked_past_expire(batch):
    return batch.ago(REFRESH_EXPIRE + DAY, REFRESH_EXPIRE + 200 * DAY)


def any_expiry(batch):
    return batch.random.choice((live, recently_expired, long_expired))(batch)


def any_revocation(batch):
    return batch.random.choice(
        (revoked_in_grace, revoked_past_grace, revoked_past_expire)
    )(batch)
