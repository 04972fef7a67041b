"""Fills a migrated database with rows on every edge of the originals' rules.

Rows that stand for an edge carry a label `category/variant/number` in one of their own text
columns, so that a difference between two databases says by itself which edge it is about.
"""

from seed.batch import Batch
from seed.big_keys import add_big_keys
from seed.chains import add_chains, add_rotated_chains
from seed.crowd import add_crowd
from seed.dependants import Dependants
from seed.ownership import add_device_grants, add_ownership
from seed.people import add_email_changes, add_joined_around_the_cutoff, add_sessions
from seed.token_edges import add_token_edges


def fill(*, seed, now, users):
    batch = Batch(seed, now)
    dependants = Dependants(batch)
    add_joined_around_the_cutoff(batch, dependants)
    add_email_changes(batch)
    add_sessions(batch)
    add_token_edges(batch)
    add_chains(batch)
    add_rotated_chains(batch)
    add_ownership(batch)
    add_device_grants(batch)
    add_big_keys(batch)
    add_crowd(batch, dependants, users)
    batch.insert()
