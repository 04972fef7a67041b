/** Options of hosts that cannot be are refused by name, before anything is touched. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import "idp-janitor";
import type { SqlStore } from "idp-janitor";
import { queueHandler, type ScheduledOptions, scheduledHandler, sweep } from "idp-janitor/cloudflare";
import { workFanOut } from "idp-janitor/pg-boss";

const touched = () => assert.fail("it was touched");
const store: SqlStore = { dialect: "sqlite", query: touched, batch: touched };
const cache = { get: touched, put: touched, add: touched };
const providers = { acme: { jwksUri: "https://provider.example/jwks" } };

/** Options of a host that are not as its types have them. */
type Options = Readonly<Record<string, unknown>>;

/** What each host is asked for, with options that are to be refused. */
const HOSTS: Readonly<Record<string, (options: Options) => Promise<unknown>>> = {
  async scheduledHandler(options) {
    const crons: ScheduledOptions["crons"] = { night: ["refresh_oidc_clients_jwks", "clearsessions"] };
    const handle = scheduledHandler(() => ({ store, crons, keys: { providers, cache }, ...options }));
    await handle({ cron: "night", scheduledTime: 0 }, undefined);
  },
  async queueHandler(options) {
    const queue = { sendBatch: touched };
    const message = { body: { kind: "sweep" }, ack: touched, retry: touched };
    await queueHandler(() => ({ store, queue, ...options }))({ messages: [message] }, undefined);
  },
  sweep(options) {
    const event = { payload: { job: "clearsessions" }, timestamp: new Date(0), instanceId: "one" } as const;
    return sweep(event, { do: touched }, { open: touched, ...options });
  },
  workFanOut(options) {
    const boss = { send: touched, work: touched };
    return workFanOut(boss, { store, queue: "parts", ...options });
  },
};

/** What no host can be told. */
const NO_BOUNDS: readonly (readonly [name: string, values: readonly unknown[]])[] = [
  ["maxStatements", [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "40", null]],
  ["maxSeconds", [0, -1, Number.NaN, Number.POSITIVE_INFINITY, "20", null]],
];

const OF_ONE: Readonly<Record<string, typeof NO_BOUNDS>> = {
  scheduledHandler: [
    ["restHours", [-1, 8_785, Number.NaN, Number.POSITIVE_INFINITY, "12", null]],
    ["plan", ["pro"]],
  ],
  queueHandler: [["plan", ["pro"]]],
  sweep: [
    ["maxSeconds", [241]],
    ["plan", ["pro"]],
  ],
  workFanOut: [["pollingIntervalSeconds", [0.4, 86_401, Number.NaN, Number.POSITIVE_INFINITY, "2", null]]],
};

for (const [host, ask] of Object.entries(HOSTS)) {
  describe(host, () => {
    for (const [name, values] of [...NO_BOUNDS, ...(OF_ONE[host] ?? [])]) {
      for (const value of values) {
        test(`refuses ${name}: ${typeof value} ${value}`, async () => {
          await assert.rejects(ask({ [name]: value }), {
            code: "invalid_setting",
            message: new RegExp(`^\`${name}\` must be .*, not `),
          });
        });
      }
    }

    test("refuses an option that does not exist", async () => {
      await assert.rejects(ask({ maxStatement: 40 }), {
        code: "unknown_setting",
        message: /did you mean `maxStatements`/,
      });
    });
  });
}

test("workFanOut gives pg-boss what it is told, up to the ends of the range", async () => {
  const asked: object[] = [];
  const work = async (_queue: string, options: object) => {
    asked.push(options);
    return "worker";
  };
  for (const pollingIntervalSeconds of [0.5, 86_400]) {
    const options = { store, queue: "parts", pollingIntervalSeconds, maxStatements: 1, maxSeconds: 0.1 };
    assert.equal(await workFanOut({ send: touched, work }, options), "worker");
  }
  await workFanOut({ send: touched, work }, { store, queue: "parts" });
  assert.deepEqual(
    asked,
    [0.5, 86_400, 2].map((pollingIntervalSeconds) => ({ pollingIntervalSeconds, batchSize: 1 })),
  );
});
