// Who is in a small database.

import { AT } from "./instants.ts";
import * as make from "./makers.ts";
import { USER } from "./makers.ts";
import type { Transaction } from "./transaction.ts";

const uuid = (number: number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;

/** Three who are stale. */
export const [ANN, BEN, CAT] = [uuid(1), uuid(2), uuid(3)] as const;
/** One who is not. */
export const LIV = uuid(4);

/** Each of the three has a device, an application of her own, and tokens on it. They are numbered: 1, 2, 3. */
export async function people(transaction: Transaction): Promise<void> {
  await make.addUser(transaction, { id: LIV, email_verified: AT.longAgo });
  for (const [at, user_id] of [ANN, BEN, CAT].entries()) {
    const id = String(at + 1);
    await make.addUser(transaction, { id: user_id });
    await make.addApplication(transaction, { id, user_id });
    await make.addDevice(transaction, { id, user_id }, [id]);
    await make.addAccessToken(transaction, { id, user_id, application_id: id });
    await make.addRefreshToken(transaction, { id, user_id, application_id: id, access_token_id: id });
    // Somebody else's token on her application.
    await make.addAccessToken(transaction, { id: `${id}0`, user_id: LIV, application_id: id });
  }
}

/** Three chains of one who stays: an ID token, an access token that expired too long ago, and the refresh token bound to it. */
export async function chains(transaction: Transaction): Promise<void> {
  const owner = { user_id: LIV, application_id: "1" };
  await make.addUser(transaction, { id: LIV, email_verified: AT.longAgo });
  await make.addApplication(transaction, { id: "1", user_id: LIV });
  for (const number of [1, 2, 3]) {
    const id = String(number);
    await make.addIdToken(transaction, { id, ...owner, expires: AT.longAgo }, uuid(number));
    await make.addAccessToken(transaction, { id, ...owner, expires: AT.longAgo, id_token_id: id });
    await make.addRefreshToken(transaction, { id, ...owner, access_token_id: id });
  }
}

export function verify(transaction: Transaction, user: string): Promise<void> {
  return transaction.update(USER, user, { email_verified: AT.now }, "email_verified IS NULL");
}
