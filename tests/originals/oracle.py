"""Runs the original Django management commands on a database, as of a given instant.

The database is the one that ORACLE_DATABASE names: the path of a file of SQLite, or a url, `postgres://…` or
`mysql://…`. ORACLE_SETTINGS may hold a JSON object that is merged into Django's OAUTH2_PROVIDER setting.
"""

import argparse
import os
import sys
from datetime import UTC, datetime
from unittest import mock

# No __pycache__ in the work tree.
sys.dont_write_bytecode = True


def instant(text):
    value = datetime.fromisoformat(text)
    if value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no offset from UTC")
    return value.astimezone(UTC)


def migrate(_arguments):
    from django.core.management import call_command

    call_command("check")
    call_command("migrate", verbosity=0)


def schema(_arguments):
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT sql FROM sqlite_master
            WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite!_%' ESCAPE '!'
            ORDER BY CASE type WHEN 'table' THEN 0 ELSE 1 END, name
            """)
        for (sql,) in cursor.fetchall():
            print(f"{sql};")


def seed(arguments):
    from seed import fill

    fill(seed=arguments.seed, now=arguments.now, users=arguments.users)


def run(arguments):
    from django.core.management import CommandError, call_command

    # Every original asks `timezone.now()` through the module, so this one patch holds them all to
    # the given instant, and to its last microsecond. A command that took its time from anywhere
    # else would leave the patch unasked, and must not pass for frozen.
    with mock.patch("django.utils.timezone.now", return_value=arguments.now) as clock:
        try:
            call_command(arguments.command, *arguments.arguments)
        except CommandError as error:
            sys.exit(f"{arguments.command}: {error}")
    if not clock.called:
        sys.exit(f"{arguments.command} did not take its time from the frozen clock")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("migrate", help="create the tables")
    command.set_defaults(perform=migrate)

    command = commands.add_parser(
        "schema", help="print the statements that create the tables (SQLite)"
    )
    command.set_defaults(perform=schema)

    command = commands.add_parser(
        "seed", help="fill the tables; the same seed, the same rows"
    )
    command.add_argument("--seed", type=int, required=True)
    command.add_argument("--now", type=instant, required=True, metavar="RFC3339")
    command.add_argument(
        "--users",
        type=int,
        default=100,
        help="users at random, besides those of the edges (default: 100)",
    )
    command.set_defaults(perform=seed)

    command = commands.add_parser(
        "run", help="run a management command with the clock frozen"
    )
    command.add_argument("--now", type=instant, required=True, metavar="RFC3339")
    command.add_argument("command")
    command.add_argument("arguments", nargs=argparse.REMAINDER)
    command.set_defaults(perform=run)

    if "ORACLE_DATABASE" not in os.environ:
        parser.error("the environment variable ORACLE_DATABASE must name the database")
    return parser.parse_args()


def main():
    arguments = parse_arguments()

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    django.setup()
    arguments.perform(arguments)


if __name__ == "__main__":
    main()
