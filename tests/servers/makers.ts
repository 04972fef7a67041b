// New rows, with everything in them that their tables insist on.

import { AT } from "./instants.ts";
import type { Row } from "./rows.ts";
import type { Transaction } from "./transaction.ts";

export const USER = "people_user";
export const APPLICATION = "oauth2_provider_application";
export const REFRESH = "oauth2_provider_refreshtoken";
export const ACCESS = "oauth2_provider_accesstoken";
export const ID = "oauth2_provider_idtoken";
export const EMAIL_CHANGE = "hidp_accounts_emailchangerequest";
export const DEVICE = "otp_static_staticdevice";
export const CODE = "otp_static_statictoken";
export const SESSION = "django_session";

/** The columns of a row that rules and foreign keys ask about, some of them at a default. */
type Columns<T extends string> = { readonly id: string } & Readonly<Partial<Record<T, string | null>>>;

/** Somebody who registered long ago and never verified, unless told otherwise. */
export function addUser(
  transaction: Transaction,
  row: Columns<"date_joined" | "email_verified">,
): Promise<void> {
  const set: Row = { date_joined: AT.longAgo, email_verified: null, ...row };
  return transaction.insert(USER, set, {
    ...{ password: "!", is_superuser: "0", first_name: "", last_name: "", is_staff: "0", is_active: "1" },
    ...{ email: `${row.id}@example.com`, last_modified: AT.now },
  });
}

export function addApplication(transaction: Transaction, row: Columns<"user_id">): Promise<void> {
  return transaction.insert(APPLICATION, row, {
    ...{ client_id: `new-${row.id}`, redirect_uris: "", client_type: "public", algorithm: "" },
    ...{ authorization_grant_type: "authorization-code", client_secret: "", name: "new" },
    ...{ skip_authorization: "0", post_logout_redirect_uris: "", hash_client_secret: "1" },
    ...{ created: AT.now, updated: AT.now, allowed_origins: "", registration_source: "manual" },
  });
}

type OfToken = "user_id" | "application_id" | "expires";

export function addIdToken(transaction: Transaction, row: Columns<OfToken>, jti: string): Promise<void> {
  const more = { jti, scope: "openid", created: AT.now, updated: AT.now };
  return transaction.insert(ID, { expires: AT.soon, ...row }, more);
}

export function addAccessToken(
  transaction: Transaction,
  row: Columns<OfToken | "source_refresh_token_id" | "id_token_id">,
): Promise<void> {
  const none = { source_refresh_token_id: null, id_token_id: null };
  return transaction.insert(
    ACCESS,
    { expires: AT.soon, ...none, ...row },
    { ...token(row.id), scope: "openid" },
  );
}

export function addRefreshToken(
  transaction: Transaction,
  row: Columns<"user_id" | "application_id" | "access_token_id" | "revoked">,
): Promise<void> {
  return transaction.insert(REFRESH, { access_token_id: null, revoked: null, ...row }, token(row.id));
}

export function addEmailChange(transaction: Transaction, row: Columns<"user_id">): Promise<void> {
  return transaction.insert(
    EMAIL_CHANGE,
    { created_at: AT.now, ...row },
    {
      ...{ proposed_email: "new@example.com", current_email: "old@example.com", last_modified: AT.now },
      ...{ confirmed_by_proposed_email: "0", confirmed_by_current_email: "0" },
    },
  );
}

/** A device with recovery codes of these keys. */
export async function addDevice(
  transaction: Transaction,
  row: Columns<"user_id">,
  codes: readonly string[],
): Promise<void> {
  await transaction.insert(DEVICE, row, { name: "codes", confirmed: "1", throttling_failure_count: 0 });
  for (const id of codes) await transaction.insert(CODE, { id, device_id: row.id }, { token: "code" });
}

export function addSession(transaction: Transaction, key: string): Promise<void> {
  return transaction.insert(SESSION, { session_key: key, expire_date: AT.soon }, { session_data: "" });
}

function token(id: string) {
  return {
    ...{ token: `new-${id}`, token_checksum: `new-${id}`, resource: "[]" },
    ...{ created: AT.now, updated: AT.now },
  };
}
