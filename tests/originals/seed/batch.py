"""Collects rows and inserts them at once, without Django's own ideas about time and chance."""

from collections import defaultdict
from datetime import timedelta
from random import Random
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, transaction


class Batch:
    def __init__(self, seed, now):
        self.random = Random(seed)
        self.now = now
        self._rows = defaultdict(list)
        self._last_key = defaultdict(int)
        self._labels = 0

    def add(self, model, **values):
        """Notes a row, by the names of its columns, and returns its primary key."""
        if "id" not in values and model._meta.pk.name == "id":
            values["id"] = self._next_key(model)
        self._rows[model].append(values)
        return values[model._meta.pk.attname]

    def label(self, category, variant):
        self._labels += 1
        return f"{category}/{variant}/{self._labels}"

    def chance(self, probability):
        return self.random.random() < probability

    def ago(self, least, most):
        """An instant between `least` and `most` before now, with no, three or six decimals."""
        span = (most - least) // timedelta(microseconds=1)
        at = self.now - least - timedelta(microseconds=self.random.randint(0, span))
        decimals = self.random.choice((0, 3, 6))
        step = 10 ** (6 - decimals)
        return at.replace(microsecond=at.microsecond // step * step)

    def ahead(self, least, most):
        return self.ago(-most, -least)

    def maybe(self, probability, value):
        return value if self.chance(probability) else None

    def uuid(self, at):
        """A UUID of version 7, as HIdP makes them, at the given instant."""
        milliseconds = int(at.timestamp() * 1000)
        version_and_random = (7 << 12) | self.random.getrandbits(12)
        variant_and_random = (2 << 62) | self.random.getrandbits(62)
        return UUID(
            int=(milliseconds << 80) | (version_and_random << 64) | variant_and_random
        )

    def insert(self):
        database = connections[DEFAULT_DB_ALIAS]
        with transaction.atomic():
            # MariaDB checks a foreign key with the row itself, and these point at each other.
            with database.constraint_checks_disabled():
                for model, rows in self._rows.items():
                    # Physical order should tell nothing about staleness.
                    self.random.shuffle(rows)
                    self._insert_rows(model, rows)
            # The others would refuse a broken key at commit; this also names the row that breaks it.
            database.check_constraints()

    def _next_key(self, model):
        """Keys with gaps, as after years of deletes."""
        self._last_key[model] += self.random.randint(1, 4)
        return self._last_key[model]

    def _insert_rows(self, model, rows):
        database = connections[DEFAULT_DB_ALIAS]
        fields = model._meta.concrete_fields
        # Prepared once per table: most columns of most rows are at their default.
        defaults = [
            field.get_db_prep_save(self._default(field), database) for field in fields
        ]

        def stored(row):
            return [
                (
                    field.get_db_prep_save(row[field.attname], database)
                    if field.attname in row
                    else default
                )
                for field, default in zip(fields, defaults)
            ]

        table = database.ops.quote_name(model._meta.db_table)
        columns = ", ".join(database.ops.quote_name(field.column) for field in fields)
        places = ", ".join(["%s"] * len(fields))
        with database.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {table} ({columns}) VALUES ({places})",
                (stored(row) for row in rows),
            )

    def _default(self, field):
        # `bulk_create` would fill these with the present, and overwrite given values too.
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
            return self.now
        return field.get_default()
