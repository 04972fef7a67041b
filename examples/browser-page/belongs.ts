// What belongs to what in HIdP's tables: in memory no foreign keys tell it. Add the tables of your own apps.

import type { MemoryReference } from "idp-janitor/adapters/memory";

/** The table of your project's user model. */
export const USERS = "people_user";

const CASCADE: Readonly<Record<string, string>> = {
  "django_admin_log.user_id": USERS,
  "hidp_accounts_emailchangerequest.user_id": USERS,
  "hidp_federated_openidconnection.user_id": USERS,
  "oauth2_provider_accesstoken.user_id": USERS,
  "oauth2_provider_accesstoken.application_id": "oauth2_provider_application",
  "oauth2_provider_accesstoken.id_token_id": "oauth2_provider_idtoken",
  "oauth2_provider_application.user_id": USERS,
  "oauth2_provider_devicegrant.user_id": USERS,
  "oauth2_provider_grant.user_id": USERS,
  "oauth2_provider_grant.application_id": "oauth2_provider_application",
  "oauth2_provider_idtoken.user_id": USERS,
  "oauth2_provider_idtoken.application_id": "oauth2_provider_application",
  "oauth2_provider_refreshtoken.user_id": USERS,
  "oauth2_provider_refreshtoken.application_id": "oauth2_provider_application",
  "otp_email_emaildevice.user_id": USERS,
  "otp_hotp_hotpdevice.user_id": USERS,
  "otp_static_staticdevice.user_id": USERS,
  "otp_static_statictoken.device_id": "otp_static_staticdevice",
  "otp_totp_totpdevice.user_id": USERS,
  // These columns are named after the user model.
  [`${USERS}_groups.user_id`]: USERS,
  [`${USERS}_user_permissions.user_id`]: USERS,
};

const SET_NULL: Readonly<Record<string, string>> = {
  "oauth2_provider_accesstoken.source_refresh_token_id": "oauth2_provider_refreshtoken",
  "oauth2_provider_refreshtoken.access_token_id": "oauth2_provider_accesstoken",
};

/** What goes along with a removed row, and what lets go of it. */
export const REFERENCES: readonly MemoryReference[] = [
  ...Object.entries(CASCADE).map(([key, references]) => reference(key, references, "cascade")),
  ...Object.entries(SET_NULL).map(([key, references]) => reference(key, references, "set-null")),
];

/** The fields that tell rows apart, where it is not `id`. */
export const IDS = { django_session: "session_key" };

function reference(key: string, references: string, onDelete: MemoryReference["onDelete"]): MemoryReference {
  const [collection = "", column = ""] = key.split(".");
  return { collection, column, references, onDelete };
}
