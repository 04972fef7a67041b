"""The instants at which a row turns stale under HIdP's settings, and their neighbourhood."""

from datetime import timedelta

ACCOUNT_AGE = timedelta(days=90)
EMAIL_CHANGE_AGE = timedelta(days=7)
REFRESH_GRACE = timedelta(minutes=10)
REFRESH_EXPIRE = timedelta(days=90)

MICROSECOND = timedelta(microseconds=1)


def around(cutoff):
    """Instants on either side of a cutoff, by name.

    The whole seconds matter because SQLite stores them without a fraction, and compares text.
    """
    second_before = (cutoff - MICROSECOND).replace(microsecond=0)
    second_after = cutoff.replace(microsecond=0) + timedelta(seconds=1)
    return {
        "long-before": cutoff - timedelta(days=40),
        "second-before": second_before,
        "just-before": cutoff - MICROSECOND,
        "exactly-at": cutoff,
        "just-after": cutoff + MICROSECOND,
        "second-after": second_after,
        "long-after": cutoff + timedelta(days=40),
    }
