import { djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import type { User } from "./users.ts";

const RECOVERY_CODES = 10;

/** Inserts authenticator apps for some users, and for most of these a set of recovery codes. */
export function insertDevices(seeding: Seeding, users: readonly User[]): void {
  const { random } = seeding;
  for (const user of users) {
    if (!random.chance(0.06)) continue;
    const device = {
      name: "default",
      confirmed: random.chance(0.9) ? 1 : 0,
      user_id: user.id,
      throttling_failure_count: 0,
      throttling_failure_timestamp: null,
      created_at: djangoText(user.joined),
      last_used_at: null,
    };
    seeding.insert("otp_totp_totpdevice", {
      ...device,
      key: random.hex(40),
      step: 30,
      t0: 0,
      digits: 6,
      tolerance: 1,
      drift: 0,
      last_t: -1,
    });
    if (!random.chance(0.7)) continue;
    const device_id = seeding.insert("otp_static_staticdevice", device);
    for (let code = 0; code < RECOVERY_CODES; code += 1) {
      seeding.insert("otp_static_statictoken", { token: random.hex(8), device_id });
    }
  }
}
