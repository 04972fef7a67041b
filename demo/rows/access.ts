import { djangoText } from "../instants.ts";
import type { Seeding } from "../seeding.ts";
import { USER_TABLE, type User } from "./users.ts";

const MODELS: readonly (readonly [app: string, model: string])[] = [
  ["auth", "group"],
  ["oauth2_provider", "application"],
  ["people", "user"],
];
const ACTIONS = ["add", "change", "delete", "view"];
const GROUPS = ["editors", "support", "auditors"];

/** Inserts groups and permissions, who has them, and what staff did in the admin. */
export function insertAccess(seeding: Seeding, users: readonly User[]): void {
  const { random, now } = seeding;
  const contentTypes = MODELS.map(([app_label, model]) =>
    seeding.insert("django_content_type", { app_label, model }),
  );
  const permissions = contentTypes.flatMap((id, index) =>
    insertPermissions(seeding, id, MODELS[index]?.[1] ?? ""),
  );
  const groups = GROUPS.map((name) => insertGroup(seeding, name, permissions));
  for (const { id: user_id, joined } of users) {
    if (random.chance(0.1)) {
      seeding.insert(`${USER_TABLE}_groups`, { user_id, group_id: random.pick(groups) });
    }
    if (random.chance(0.005)) {
      seeding.insert(`${USER_TABLE}_user_permissions`, { user_id, permission_id: random.pick(permissions) });
    }
    if (random.chance(0.005)) {
      const object = random.pick(users);
      seeding.insert("django_admin_log", {
        object_id: object.id,
        object_repr: object.email,
        action_flag: 2,
        change_message: '[{"changed": {"fields": ["Active"]}}]',
        content_type_id: contentTypes.at(-1) ?? null,
        user_id,
        action_time: djangoText(seeding.between(joined, now)),
      });
    }
  }
}

function insertPermissions(seeding: Seeding, content_type_id: number, model: string): number[] {
  return ACTIONS.map((action) =>
    seeding.insert("auth_permission", {
      content_type_id,
      codename: `${action}_${model}`,
      name: `Can ${action} ${model}`,
    }),
  );
}

/** A group may do some of what there is to do. */
function insertGroup(seeding: Seeding, name: string, permissions: readonly number[]): number {
  const group_id = seeding.insert("auth_group", { name });
  for (const permission_id of permissions) {
    if (seeding.random.chance(0.4)) seeding.insert("auth_group_permissions", { group_id, permission_id });
  }
  return group_id;
}
