// What HIdP and Django OAuth Toolkit do to a database, in transactions like theirs.

import type { Chance } from "./chance.ts";
import { AT } from "./instants.ts";
import * as make from "./makers.ts";
import { ACCESS, APPLICATION, DEVICE, EMAIL_CHANGE, REFRESH, USER } from "./makers.ts";
import { Missed, type Transaction } from "./transaction.ts";

/** What a transaction is about. */
export interface Subject {
  readonly user: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  readonly application: string;
  /** Another user. */
  readonly other: string;
  readonly chance: Chance;
  /** A new number for a row. */
  number(): string;
  /** Stays as it is for a while, now and then. */
  hold(): Promise<void>;
}

export type Deed = (transaction: Transaction, subject: Subject) => Promise<void>;

/** The link in the e-mail, and the login that follows. */
const verifies: Deed = async (transaction, { user, hold }) => {
  await transaction.lock(USER, user);
  await transaction.update(USER, user, { email_verified: AT.now }, "email_verified IS NULL");
  await hold();
  await transaction.update(USER, user, { last_login: AT.now });
  await hold();
};

/** The same with a look at what the user has, which is locked first: the other way round. */
const verifiesLast: Deed = async (transaction, { user, hold }) => {
  for (const table of [ACCESS, DEVICE]) {
    await transaction.run(`SELECT id FROM ${table} WHERE user_id = ? ORDER BY id FOR UPDATE`, user);
  }
  await hold();
  await transaction.update(USER, user, { email_verified: AT.now }, "email_verified IS NULL");
};

const logsIn: Deed = async (transaction, subject) => {
  await transaction.update(USER, subject.user, { last_login: AT.now });
  await make.addSession(transaction, subject.chance.uuid());
  await subject.hold();
  await addTokens(transaction, subject);
};

/** The tokens before the user whom they are for. */
const logsInLast: Deed = async (transaction, subject) => {
  await addTokens(transaction, subject);
  await subject.hold();
  await transaction.update(USER, subject.user, { last_login: AT.now });
};

/** `_save_bearer_token` with rotation: the refresh token is revoked, its access token goes, and there is a new pair. */
const refreshes: Deed = async (transaction, subject) => {
  const { refreshToken, hold } = subject;
  const old = await transaction.lock(REFRESH, refreshToken);
  if (old.revoked !== null) throw new Missed();
  const sql = `SELECT id FROM ${ACCESS} WHERE source_refresh_token_id = ? FOR UPDATE`;
  // Used before: the toolkit gives out the same pair again.
  if ((await transaction.run(sql, refreshToken)).count > 0) throw new Missed();
  await hold();
  const accessToken = textOf(old.access_token_id);
  await transaction.update(REFRESH, refreshToken, { access_token_id: null });
  if (accessToken !== null) await transaction.remove(ACCESS, accessToken);
  await transaction.update(REFRESH, refreshToken, { revoked: AT.now });
  const owner = { user: String(old.user_id), application: String(old.application_id) };
  await addPair(transaction, { ...subject, ...owner }, { source_refresh_token_id: refreshToken });
  await hold();
};

/** Where the keys of rows begin that the traffic adds. */
export const FIRST_NEW_KEY = 1_000_000_000;

/** `_save_bearer_token` without rotation: the access token is extended in place. */
const extendsInPlace: Deed = async (transaction, { refreshToken, hold }) => {
  const { rows } = await transaction.run(`SELECT access_token_id FROM ${REFRESH} WHERE id = ?`, refreshToken);
  const accessToken = textOf(rows[0]?.access_token_id);
  if (accessToken === null) throw new Missed();
  // One that was issued again has no say in whether the one before it was stale when it went.
  if (Number(refreshToken) >= FIRST_NEW_KEY && Number(accessToken) < FIRST_NEW_KEY) throw new Missed();
  await transaction.lock(ACCESS, accessToken);
  // Whoever holds the access token knows that the refresh token does not expire with it meanwhile.
  const sql = `SELECT id FROM ${REFRESH} WHERE id = ? AND access_token_id = ? AND revoked IS NULL`;
  if ((await transaction.run(sql, refreshToken, accessToken)).count !== 1) throw new Missed();
  await hold();
  await transaction.update(ACCESS, accessToken, { expires: AT.soon });
  await hold();
};

/** An access token that has lost its refresh token gets a new one. */
const issuesAgain: Deed = async (transaction, { accessToken, number, hold }) => {
  const { user_id, application_id } = await transaction.lock(ACCESS, accessToken);
  const sql = `SELECT id FROM ${REFRESH} WHERE access_token_id = ?`;
  const isTaken = (await transaction.run(sql, accessToken)).count > 0;
  const [user, application] = [textOf(user_id), textOf(application_id)];
  if (isTaken || user === null || application === null) throw new Missed();
  await hold();
  const owner = { user_id: user, application_id: application };
  await make.addRefreshToken(transaction, { id: number(), ...owner, access_token_id: accessToken });
};

/** Revokes a pair, the access token first. */
const logsOut: Deed = async (transaction, { accessToken, hold }) => {
  await transaction.lock(ACCESS, accessToken);
  const sql = `SELECT id FROM ${REFRESH} WHERE access_token_id = ? AND revoked IS NULL FOR UPDATE`;
  const refreshToken = textOf((await transaction.run(sql, accessToken)).rows[0]?.id);
  if (refreshToken === null) throw new Missed();
  await hold();
  await transaction.update(REFRESH, refreshToken, { access_token_id: null, revoked: AT.now });
  await transaction.remove(ACCESS, accessToken);
};

const registersApplication: Deed = (transaction, { user, number }) =>
  make.addApplication(transaction, { id: number(), user_id: user });

const handsOver: Deed = async (transaction, { application, other, hold }) => {
  await transaction.update(APPLICATION, application, { user_id: other });
  await hold();
};

const changesEmail: Deed = async (transaction, { user, chance, hold }) => {
  const { rows } = await transaction.run(`SELECT id FROM ${EMAIL_CHANGE} WHERE user_id = ? FOR UPDATE`, user);
  const earlier = textOf(rows[0]?.id);
  if (earlier !== null) await transaction.remove(EMAIL_CHANGE, earlier);
  await make.addEmailChange(transaction, { id: chance.uuid(), user_id: user });
  await hold();
};

const addsDevice: Deed = async (transaction, { user, number, hold }) => {
  await make.addDevice(transaction, { id: number(), user_id: user }, [number(), number()]);
  await hold();
};

/** Some people register and are never seen again; these have been gone for long. */
const registers: Deed = async (transaction, { chance, hold }) => {
  await make.addUser(transaction, { id: chance.uuid() });
  await hold();
};

/** Deeds, and how often each is done beside the others. */
export type Deeds = readonly (readonly [Deed, number])[];

/** People come back: nothing new, and nothing that leads to what is about to go. */
export const RETURNS: Deeds = [
  [verifies, 2],
  [verifiesLast, 1],
  [extendsInPlace, 3],
];

/** Everything. */
export const DEEDS: Deeds = [
  [verifies, 4],
  [verifiesLast, 3],
  [logsIn, 2],
  [logsInLast, 2],
  [refreshes, 4],
  [extendsInPlace, 4],
  [issuesAgain, 2],
  [logsOut, 1],
  [registersApplication, 1],
  [handsOver, 2],
  [changesEmail, 1],
  [addsDevice, 1],
  [registers, 1],
];

async function addTokens(transaction: Transaction, subject: Subject): Promise<void> {
  const { user, application, chance, number } = subject;
  const id = number();
  await make.addIdToken(transaction, { id, user_id: user, application_id: application }, chance.uuid());
  await addPair(transaction, subject, { id_token_id: id });
}

async function addPair(
  transaction: Transaction,
  { user, application, number }: Subject,
  origin: { source_refresh_token_id: string } | { id_token_id: string },
): Promise<void> {
  const owner = { user_id: user, application_id: application };
  const id = number();
  await make.addAccessToken(transaction, { id, ...owner, ...origin });
  await make.addRefreshToken(transaction, { id: number(), ...owner, access_token_id: id });
}

/** A key as the drivers give it. */
function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}
