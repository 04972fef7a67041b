"""Users and applications that no command removes, for tokens whose own staleness is at stake."""

from seed.people import add_live_user
from seed.tokens import add_application


class Holders:
    """A few users and applications, drawn from as needed."""

    def __init__(self, batch, users=4):
        self._batch = batch
        self._users = [
            add_live_user(batch, batch.label("holder", "user")) for _ in range(users)
        ]
        self._applications = [
            add_application(batch, batch.label("holder", "application"), owner=owner)
            for owner in (None, self._users[0])
        ]

    def user(self):
        return self._batch.random.choice(self._users)

    def application(self):
        return self._batch.random.choice(self._applications)

    def pair(self):
        return {"user": self.user(), "application": self.application()}
