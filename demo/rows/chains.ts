import { hash } from "node:crypto";
import { DAY, djangoText, HOUR, type Instant } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import { type Applications, pickApplication } from "./applications.ts";
import type { User } from "./users.ts";

const PER_USER = 2;
const ID_TOKEN_LIFETIME = 10 * HOUR;
const ACCESS_TOKEN_LIFETIME = 12 * HOUR;

/** Who a sign-in was by, for which application, and when. */
interface SignIn {
  readonly user: User;
  readonly application: number;
  readonly at: Instant;
}

/**
 * Inserts two token chains a user, ID token <- access token <- refresh token, in the order in which they came to be:
 * so the tokens of one user lie apart, as they do where people come back.
 */
export function insertChains(seeding: Seeding, users: readonly User[], applications: Applications): void {
  const starts = new Float64Array(users.length * PER_USER);
  for (const [index, user] of users.entries()) {
    for (let nth = 0; nth < PER_USER; nth += 1) starts[index * PER_USER + nth] = drawStart(seeding, user);
  }
  const order = Uint32Array.from(starts.keys()).sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0));
  for (const chain of order) {
    const user = users[Math.floor(chain / PER_USER)];
    const at = starts[chain];
    if (user === undefined || at === undefined) continue;
    insertChain(seeding, { user, application: pickApplication(seeding, applications), at });
  }
}

/** Half of the chains ended long ago, a third within the time that refresh tokens are kept, the rest are in use. */
function drawStart(seeding: Seeding, user: User): Instant {
  const { random, now } = seeding;
  const { joined } = user;
  if (user.stale) return seeding.between(joined, joined + 3 * DAY);
  const age = random.fraction();
  if (age < 0.5 && joined < now - 92 * DAY) return seeding.between(joined, now - 91 * DAY);
  if (age < 0.85 && joined < now - DAY)
    return seeding.between(Math.max(joined, now - 90 * DAY), now - 13 * HOUR);
  return seeding.between(Math.max(joined, now - 12 * HOUR), now);
}

function insertChain(seeding: Seeding, signIn: SignIn): void {
  const { random } = seeding;
  const shape = random.fraction();
  if (shape < 0.7) {
    // A third of the full chains have been refreshed: the refresh token before is revoked and has lost its access token.
    const family = random.uuid4();
    const rotated = random.chance(0.33);
    const source = rotated ? insertRefreshToken(seeding, signIn, { family, revoked: signIn.at }) : null;
    const accessToken = insertAccessToken(seeding, signIn, {
      idToken: insertIdToken(seeding, signIn),
      source,
    });
    insertRefreshToken(seeding, signIn, { family, accessToken });
  } else if (shape < 0.8) {
    // Plain OAuth: opaque tokens only.
    insertRefreshToken(seeding, signIn, { accessToken: insertAccessToken(seeding, signIn, {}) });
  } else if (shape < 0.88) {
    // A client that never asked for a refresh token.
    insertAccessToken(seeding, signIn, { idToken: insertIdToken(seeding, signIn) });
  } else if (shape < 0.94) {
    // Signed out: the access token is gone, the refresh token revoked, the ID token left over.
    insertIdToken(seeding, signIn);
    insertRefreshToken(seeding, signIn, {
      revoked: Math.min(signIn.at + random.integer(0, HOUR), seeding.now),
    });
  } else if (shape < 0.96) {
    // An access token that somebody deleted by hand, which orphans the refresh token.
    insertRefreshToken(seeding, signIn, {});
  } else if (shape < 0.98) {
    insertIdToken(seeding, signIn);
  } else {
    // An application in its own name.
    insertAccessToken(seeding, signIn, { ownName: true });
  }
}

function insertIdToken(seeding: Seeding, { user, application, at }: SignIn): number {
  return seeding.insert("oauth2_provider_idtoken", {
    jti: seeding.random.uuid4(),
    expires: djangoText(at + ID_TOKEN_LIFETIME),
    scope: "openid profile email",
    created: djangoText(at),
    updated: djangoText(at),
    application_id: application,
    user_id: user.id,
  });
}

function insertAccessToken(
  seeding: Seeding,
  { user, application, at }: SignIn,
  links: { idToken?: number; source?: number | null; ownName?: true },
): number {
  const token = seeding.random.hex(30);
  return seeding.insert("oauth2_provider_accesstoken", {
    token,
    token_checksum: hash("sha256", token),
    expires: djangoText(at + ACCESS_TOKEN_LIFETIME),
    scope: links.idToken === undefined ? "read" : "openid profile email",
    application_id: application,
    user_id: links.ownName ? null : user.id,
    created: djangoText(at),
    updated: djangoText(at),
    source_refresh_token_id: links.source ?? null,
    id_token_id: links.idToken ?? null,
    resource: "[]",
  });
}

function insertRefreshToken(
  seeding: Seeding,
  { user, application, at }: SignIn,
  links: { accessToken?: number; revoked?: Instant; family?: string },
): number {
  const token = seeding.random.hex(30);
  const { revoked } = links;
  return seeding.insert("oauth2_provider_refreshtoken", {
    token,
    token_checksum: hash("sha256", token),
    access_token_id: links.accessToken ?? null,
    application_id: application,
    user_id: user.id,
    created: djangoText(revoked === undefined ? at : Math.max(user.joined, revoked - ACCESS_TOKEN_LIFETIME)),
    updated: djangoText(revoked ?? at),
    revoked: revoked === undefined ? null : djangoText(revoked),
    token_family: links.family ?? seeding.random.uuid4(),
    resource: "[]",
  });
}
