import { djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import { USER_TABLE, type User } from "./users.ts";

const MODELS = [
  ["auth", "group"],
  ["oauth2_provider", "application"],
  [...USER_TABLE.split("_")],
];
const ACTIONS = ["add", "change", "delete", "view"];
const GROUPS = ["editors", "support", "auditors"];

/** Inserts groups and permissions, who has them, and what staff did in the admin. */
export function insertAccess(seeding: Seeding, users: readonly User[]): void {
  const { random, now } = seeding;
  const permissions: number[] = [];
  let contentType = 0;
  for (const [app = "", model = ""] of MODELS) {
    contentType = seeding.insert("django_content_type", { app_label: app, model });
    for (const action of ACTIONS) {
      permissions.push(
        seeding.insert("auth_permission", {
          content_type_id: contentType,
          codename: `${action}_${model}`,
          name: `Can ${action} ${model}`,
        }),
      );
    }
  }
  const groups = GROUPS.map((name) => seeding.insert("auth_group", { name }));
  for (const group_id of groups) {
    for (const permission_id of permissions) {
      if (random.chance(0.4)) seeding.insert("auth_group_permissions", { group_id, permission_id });
    }
  }
  for (const user of users) {
    if (random.chance(0.1)) {
      seeding.insert(`${USER_TABLE}_groups`, { user_id: user.id, group_id: random.pick(groups) });
    }
    if (random.chance(0.005)) {
      seeding.insert(`${USER_TABLE}_user_permissions`, {
        user_id: user.id,
        permission_id: random.pick(permissions),
      });
    }
    if (random.chance(0.005)) {
      const object = random.pick(users);
      seeding.insert("django_admin_log", {
        object_id: object.id,
        object_repr: object.email,
        action_flag: 2,
        change_message: '[{"changed": {"fields": ["Active"]}}]',
        content_type_id: contentType,
        user_id: user.id,
        action_time: djangoText(seeding.between(user.joined, now)),
      });
    }
  }
}
