import { DAY, djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import type { User } from "./users.ts";

const PROVIDERS: readonly (readonly [key: string, issuer: string])[] = [
  ["example", "https://login.example.com"],
  ["campus", "https://idp.campus.example.org"],
];

/** Inserts what HIdP itself keeps of a user: requests for another e-mail address, and connections to other providers. */
export function insertIdentities(seeding: Seeding, users: readonly User[]): void {
  for (const [index, user] of users.entries()) {
    if (seeding.random.chance(0.06)) insertEmailChange(seeding, user, index);
    if (seeding.random.chance(0.15)) insertConnection(seeding, user);
  }
}

/** A third of the requests complete, a third abandoned for more than a week, a third still open. */
function insertEmailChange(seeding: Seeding, user: User, index: number): void {
  const { random, now } = seeding;
  const state = random.pick(["complete", "abandoned", "open"]);
  const byProposed = state === "complete" || random.chance(0.3);
  const byCurrent = state === "complete" || (!byProposed && random.chance(0.3));
  const week = now - 7 * DAY;
  const created =
    state === "open"
      ? seeding.between(Math.max(user.joined, week), now)
      : seeding.between(user.joined, state === "complete" ? now : Math.max(user.joined + 1, week));
  seeding.insert("hidp_accounts_emailchangerequest", {
    id: random.uuid7(created / 1000),
    proposed_email: `person${index + 1}@example.net`,
    current_email: user.email,
    confirmed_by_proposed_email: byProposed ? 1 : 0,
    confirmed_by_current_email: byCurrent ? 1 : 0,
    created_at: djangoText(created),
    last_modified: djangoText(created),
    user_id: user.id,
  });
}

function insertConnection(seeding: Seeding, user: User): void {
  const { random, now } = seeding;
  const [provider_key, issuer_claim] = random.pick(PROVIDERS);
  const created = djangoText(user.joined);
  seeding.insert("hidp_federated_openidconnection", {
    id: random.uuid7(user.joined / 1000),
    user_id: user.id,
    created_at: created,
    last_modified: created,
    provider_key,
    issuer_claim,
    subject_claim: random.uuid4(),
    last_usage: user.verified ? djangoText(seeding.between(user.joined, now)) : created,
  });
}
