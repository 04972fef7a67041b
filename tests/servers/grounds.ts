// Which rows each connection of the traffic works on. None shares with another, so that they never wait for each other: whoever
// waits, or is in a deadlock, is so because of the job.

import { setTimeout } from "node:timers/promises";
import { Chance } from "./chance.ts";
import { FIRST_NEW_KEY, type Subject } from "./deeds.ts";
import { AT } from "./instants.ts";
import type { Change, Row, Rows } from "./rows.ts";

/** The rows of one connection. */
export interface Ground {
  /** What the next transaction is about. */
  subject(chance: Chance): Subject;
  /** Takes in what it has made itself. */
  learn(changes: readonly Change[]): void;
}

/** How often a transaction stays open at a place where it may, and for how many milliseconds. */
const HOLDS = 0.3;
const HOLD_MS = [50, 300] as const;

/** How often a user is one who is about to be removed. */
const STALE_USERS = 0.6;

/** Keys that doubles hold exactly, for the drivers of the traffic. */
const LARGEST = Number.MAX_SAFE_INTEGER;

/** Divides the rows among so many connections. */
export function grounds(rows: Rows, count: number, seed: number): Ground[] {
  const chance = new Chance(seed);
  const homes = new Map<string, number>();
  for (const key of rows.get("people_user")?.keys() ?? []) homes.set(key, Math.floor(chance.next() * count));
  return Array.from({ length: count }, (_, home) => {
    const isHere = (user: string | null | undefined) => typeof user === "string" && homes.get(user) === home;
    return new OneGround(rows, isHere, home);
  });
}

class OneGround implements Ground {
  readonly #staleUsers: string[] = [];
  readonly #users: string[] = [];
  readonly #refreshTokens: string[];
  readonly #accessTokens: string[];
  readonly #applications: string[];
  #number: number;

  constructor(rows: Rows, isHere: (user: string | null | undefined) => boolean, home: number) {
    for (const [key, row] of rows.get("people_user") ?? []) {
      if (!isHere(key)) continue;
      this.#users.push(key);
      if (row.email_verified === null && (row.date_joined ?? "") < AT.accountsStale)
        this.#staleUsers.push(key);
    }
    const own = (table: string, mayBe: (row: Row) => boolean = () => true) =>
      [...(rows.get(table) ?? [])]
        .filter(([key, row]) => Number(key) <= LARGEST && isHere(row.user_id) && mayBe(row))
        .map(([key]) => key);
    // Links between rows of two connections would have these wait for each other.
    const refreshTokens = rows.get("oauth2_provider_refreshtoken");
    const accessTokens = rows.get("oauth2_provider_accesstoken");
    const isOwn = (
      table: Rows extends ReadonlyMap<string, infer T> ? T | undefined : never,
      key?: string | null,
    ) => !key || (Number(key) <= LARGEST && isHere(table?.get(key)?.user_id));
    const strangers = new Set<string>();
    for (const [key, row] of refreshTokens ?? []) {
      if (isOwn(accessTokens, row.access_token_id) && isHere(row.user_id)) continue;
      strangers.add(`refresh ${key}`).add(`access ${row.access_token_id}`);
    }
    for (const [key, row] of accessTokens ?? []) {
      if (isOwn(refreshTokens, row.source_refresh_token_id) && isHere(row.user_id)) continue;
      strangers.add(`access ${key}`).add(`refresh ${row.source_refresh_token_id}`);
    }
    this.#refreshTokens = own("oauth2_provider_refreshtoken").filter(
      (key) => !strangers.has(`refresh ${key}`),
    );
    this.#accessTokens = own("oauth2_provider_accesstoken").filter((key) => !strangers.has(`access ${key}`));
    this.#applications = own("oauth2_provider_application");
    this.#number = FIRST_NEW_KEY + home * 10_000_000;
  }

  subject(chance: Chance): Subject {
    const pick = (keys: readonly string[]) => chance.pick(keys) ?? "0";
    // Where many connections share them, one may have seen all of its own verify.
    const isStale = chance.happens(STALE_USERS) && this.#staleUsers.length > 0;
    return {
      user: pick(isStale ? this.#staleUsers : this.#users),
      refreshToken: pick(this.#refreshTokens),
      accessToken: pick(this.#accessTokens),
      application: pick(this.#applications),
      other: pick(this.#users),
      chance,
      number: () => {
        this.#number += 1;
        return String(this.#number);
      },
      async hold() {
        if (chance.happens(HOLDS)) await setTimeout(chance.between(...HOLD_MS));
      },
    };
  }

  learn(changes: readonly Change[]): void {
    for (const { table, key, set } of changes) {
      if (set === "gone") continue;
      if (set.email_verified) this.#staleUsers.splice(this.#staleUsers.indexOf(key), 1);
      if (table === "people_user" && set.date_joined) this.#staleUsers.push(key);
      if (table === "oauth2_provider_refreshtoken" && set.user_id) this.#refreshTokens.push(key);
      if (table === "oauth2_provider_accesstoken" && set.user_id) this.#accessTokens.push(key);
      if (table === "oauth2_provider_application" && set.user_id) this.#applications.push(key);
    }
  }
}
