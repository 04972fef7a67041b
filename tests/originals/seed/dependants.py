"""Everything besides tokens that hangs on a user: links, log entries, connections, OTP devices."""

from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from hidp.federated.models import OpenIdConnection

User = get_user_model()
UserGroup = User.groups.through
UserPermission = User.user_permissions.through

YEAR = timedelta(days=365)


class Dependants:
    def __init__(self, batch):
        self._batch = batch
        self._groups = [batch.add(Group, name=f"group {number}") for number in range(5)]
        self._permissions = list(
            Permission.objects.order_by("pk").values_list("pk", flat=True)
        )
        self._content_types = list(
            ContentType.objects.order_by("pk").values_list("pk", flat=True)
        )

    def add(self, user, probability):
        """Adds each kind with the given probability."""
        for add in (
            self._links,
            self._log_entries,
            self._connections,
            self._static_device,
            self._totp_device,
        ):
            if self._batch.chance(probability):
                add(user)

    def _links(self, user):
        for group in self._some(self._groups):
            self._batch.add(UserGroup, user_id=user, group_id=group)
        for permission in self._some(self._permissions):
            self._batch.add(UserPermission, user_id=user, permission_id=permission)

    def _log_entries(self, user):
        for content_type in self._some(self._content_types):
            self._batch.add(
                LogEntry,
                user_id=user,
                content_type_id=self._batch.maybe(0.9, content_type),
                action_time=self._batch.ago(timedelta(0), YEAR),
                action_flag=CHANGE,
                object_id="1",
                object_repr="something",
            )

    def _connections(self, user):
        for provider in self._some(("google", "microsoft", "example")):
            connected = self._batch.ago(timedelta(0), YEAR)
            self._batch.add(
                OpenIdConnection,
                id=self._batch.uuid(connected),
                user_id=user,
                provider_key=provider,
                issuer_claim=f"https://{provider}.example.com",
                subject_claim=user.hex,
                created_at=connected,
                last_usage=connected,
            )

    def _static_device(self, user):
        device = self._batch.add(StaticDevice, user_id=user, name="Recovery codes")
        for number in range(self._batch.random.randint(0, 10)):
            self._batch.add(StaticToken, device_id=device, token=f"code{number}")

    def _totp_device(self, user):
        key = f"{self._batch.random.getrandbits(160):040x}"
        self._batch.add(TOTPDevice, user_id=user, name="Authenticator app", key=key)

    def _some(self, choices):
        return self._batch.random.sample(choices, self._batch.random.randint(1, 3))
