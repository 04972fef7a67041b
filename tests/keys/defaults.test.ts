// The defaults of a refresh of keys, which stand where the core has them, where the library has its own, and where people read
// of them: all are the same.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { createKeys, type Fetch } from "idp-janitor";
import { memoryCache } from "idp-janitor/caches/memory";
import { REFRESH_KEYS } from "../../pkg/cli/keys/description.js";
import { refusal } from "./setup.ts";

type Defaults = Readonly<Record<string, number>>;

/** What `idp-janitor list` shows. */
const SHOWN: Defaults = Object.fromEntries(
  REFRESH_KEYS.settings.map(({ name, default: value }) => [name, Number(value)]),
);

/** For readers alone, whom the command line has none of. */
const OF_READERS: Defaults = { cooldownSeconds: 60 };

const source = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

/** What the documentation of options says, by their names. */
async function documented(path: string): Promise<Defaults> {
  const options = (await source(path)).matchAll(
    /Default ([\d,]+)(?:[^*]|\*(?!\/))*\*\/\s*readonly (\w+)\?: number/g,
  );
  return Object.fromEntries(
    [...options].map(([, value = "", name = ""]) => [name, Number(value.replaceAll(",", ""))]),
  );
}

test("the core has what the command line shows", async () => {
  const [block = ""] = /impl Default for Policy \{.*?\n\}/s.exec(await source("src/jwks/provider.rs")) ?? [];
  const core = [...block.matchAll(/(\w+): ([\d_ *]+),/g)].map(([, name = "", value = ""]) => [
    name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
    value.split("*").reduce((product, factor) => product * Number(factor.replaceAll("_", "")), 1),
  ]);
  assert.deepEqual(Object.fromEntries(core), { ...SHOWN, ...OF_READERS });
});

test("so do the documentation of the library, that of a configuration, and the help", async () => {
  assert.deepEqual(await documented("js/keys/keys.ts"), { ...SHOWN, ...OF_READERS });
  assert.deepEqual(await documented("js/cli/keys/config.ts"), SHOWN);
  const help = (await source("js/cli/keys/program.ts")).matchAll(
    /"--([a-z-]+-seconds) <n>", ".*\(default: (\d+)\)"/g,
  );
  const helped = [...help].map(([, flag = "", value]) => [flag, Number(value)]);
  assert.ok(helped.length > 0);
  for (const [flag, value] of helped) {
    const name = String(flag).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    assert.equal(value, SHOWN[name], name);
  }
});

test("the library refreshes as many providers at once", async () => {
  let [now, most] = [0, 0];
  const fetch: Fetch = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
    return new Response("", { status: 404 });
  };
  const names = Array.from({ length: 3 * (SHOWN.concurrency ?? 0) }, (_, at) => `p${at}`);
  const providers = Object.fromEntries(
    names.map((name) => [name, { jwksUri: `https://login.example/${name}` }]),
  );
  await createKeys({ providers, cache: memoryCache(), fetch }).refresh();
  assert.equal(most, SHOWN.concurrency);
});

test("its readers ask again after as many seconds", async () => {
  const cooldowns: number[] = [];
  const cache = memoryCache();
  const keys = createKeys({
    providers: { acme: { jwksUri: "https://login.example/jwks" } },
    cache: {
      ...cache,
      add(key, value, keep) {
        cooldowns.push(keep.ttlSeconds);
        return cache.add(key, value, keep);
      },
    },
    fetch: async () => new Response("", { status: 404 }),
    onWarning: () => {},
  });
  assert.equal((await refusal(keys.get("acme"))).code, "keys_unavailable");
  assert.deepEqual(cooldowns, [OF_READERS.cooldownSeconds]);
});
