"""Django's description of a database, from its url, or from the path of one of SQLite."""

from urllib.parse import urlsplit


def database_at(address):
    parts = urlsplit(address)
    if parts.scheme == "postgres":
        return on_server("django.db.backends.postgresql", parts)
    if parts.scheme == "mysql":
        pass_for_mysqlclient()
        return on_server("django.db.backends.mysql", parts)
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": address}


def on_server(engine, parts):
    return {
        "ENGINE": engine,
        "NAME": parts.path.removeprefix("/"),
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parts.hostname,
        "PORT": parts.port,
    }


def pass_for_mysqlclient():
    """Django asks for mysqlclient, which needs a compiler; PyMySQL has the same interface, and needs none."""
    import pymysql

    pymysql.install_as_MySQLdb()
