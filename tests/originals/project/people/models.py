from hidp.accounts.models import BaseUser


class User(BaseUser):
    pass
