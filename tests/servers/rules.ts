// What is stale, said a third time and in the plainest way, on rows in memory.

import type { JobName } from "idp-janitor";
import { AT } from "./instants.ts";
import type { Row, Rows } from "./rows.ts";

/** Whether a row of a table is stale, given what else is or was known. */
export type IsStale = (row: Row) => boolean;

/** The rules of a job by table. `all` has every row that ever was; `isThere` tells whether one still is. */
export type Rules = (all: Rows, isThere: (table: string, key: string) => boolean) => Record<string, IsStale>;

const REFRESH = "oauth2_provider_refreshtoken";
const ACCESS = "oauth2_provider_accesstoken";
const ID = "oauth2_provider_idtoken";

const accounts: Rules = () => ({
  people_user: ({ email_verified, date_joined }) =>
    email_verified === null && isBefore(date_joined, AT.accountsStale),
});

const tokens: Rules = (all, isThere) => {
  const referredTo = (table: string, column: string) => {
    const keys = new Set<string | null | undefined>();
    for (const [key, row] of all.get(table) ?? []) if (isThere(table, key)) keys.add(row[column]);
    return keys;
  };
  const withRefreshToken = referredTo(REFRESH, "access_token_id");
  const withAccessToken = referredTo(ACCESS, "id_token_id");
  return {
    [REFRESH]: ({ revoked, access_token_id }) => {
      if (revoked) return revoked <= AT.graceOver;
      if (!access_token_id) return true;
      const expires = all.get(ACCESS)?.get(access_token_id)?.expires;
      return expires != null && expires <= AT.refreshOver;
    },
    [ACCESS]: ({ id, expires }) => isBefore(expires, AT.now) && !withRefreshToken.has(id),
    [ID]: ({ id, expires }) => isBefore(expires, AT.now) && !withAccessToken.has(id),
    oauth2_provider_grant: ({ expires }) => isBefore(expires, AT.now),
  };
};

export const RULES: Readonly<Partial<Record<JobName, Rules>>> = {
  remove_stale_unverified_accounts: accounts,
  cleartokens: tokens,
};

function isBefore(instant: string | null | undefined, other: string): boolean {
  return typeof instant === "string" && instant < other;
}
