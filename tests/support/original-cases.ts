// What each job must do as its original does, under which settings of either.

import type { JobName } from "idp-janitor";
import type { Toolkit } from "./originals.ts";

/** The instant that both judge by. */
export const NOW = "2026-11-23T10:20:30.123456Z";

export interface Case {
  readonly title: string;
  readonly job: JobName;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The original command, its arguments, its settings, and which toolkit runs it. */
  readonly original: readonly string[];
  readonly originalSettings?: Readonly<Record<string, unknown>>;
  readonly which?: Toolkit;
}

export const CASES: readonly Case[] = [
  {
    title: "stale accounts",
    job: "remove_stale_unverified_accounts",
    original: ["remove_stale_unverified_accounts"],
  },
  {
    title: "stale accounts after 30 days",
    job: "remove_stale_unverified_accounts",
    settings: { days: 30 },
    original: ["remove_stale_unverified_accounts", "--days", "30"],
  },
  {
    title: "stale accounts at once",
    job: "remove_stale_unverified_accounts",
    settings: { days: 0 },
    original: ["remove_stale_unverified_accounts", "--days", "0"],
  },
  {
    title: "email change requests",
    job: "remove_complete_and_stale_email_change_requests",
    original: ["remove_complete_and_stale_email_change_requests"],
  },
  {
    title: "email change requests after 2 days",
    job: "remove_complete_and_stale_email_change_requests",
    settings: { days: 2 },
    original: ["remove_complete_and_stale_email_change_requests", "--days", "2"],
  },
  { title: "tokens", job: "cleartokens", original: ["cleartokens"] },
  {
    title: "tokens with reuse protection",
    job: "cleartokens",
    settings: { refreshTokenReuseProtection: true },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_REUSE_PROTECTION: true },
  },
  {
    title: "tokens that never expire",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: null },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: null },
  },
  {
    title: "tokens that never expire, with reuse protection",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: 0, refreshTokenReuseProtection: true },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: 0, REFRESH_TOKEN_REUSE_PROTECTION: true },
  },
  {
    title: "tokens without grace, expiring after an hour",
    job: "cleartokens",
    settings: { refreshTokenExpireSeconds: 3600, refreshTokenGracePeriodSeconds: 0 },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: 3600, REFRESH_TOKEN_GRACE_PERIOD_SECONDS: 0 },
  },
  {
    title: "tokens by the rules before 3.4",
    job: "cleartokens",
    settings: { rules: "before-3.4" },
    original: ["cleartokens"],
    which: "before-3.4",
  },
  {
    title: "tokens that never expire, by the rules before 3.4",
    job: "cleartokens",
    settings: { rules: "before-3.4", refreshTokenExpireSeconds: null },
    original: ["cleartokens"],
    originalSettings: { REFRESH_TOKEN_EXPIRE_SECONDS: null },
    which: "before-3.4",
  },
  { title: "sessions", job: "clearsessions", original: ["clearsessions"] },
];
