/** The judge of the published keys has no network: here is shown that this is so, and by what. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import "idp-janitor";
import { hidp, type KeysRead } from "../support/read-keys.ts";
import { withDatabaseCache } from "./deployments.ts";

describe("the cut of HIdP's network", () => {
  for (const { network, reached } of [
    { network: "cut", reached: 0 },
    { network: "open", reached: 1 },
  ] as const) {
    test(`a provider at hand is reached ${reached} times while it is ${network}`, async (t) => {
      let connections = 0;
      const provider = createServer((socket) => {
        connections += 1;
        socket.destroy();
      }).listen(0, "127.0.0.1");
      t.after(() => provider.close());
      await once(provider, "listening");
      const uri = `https://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`;
      const { database, setting, close } = await withDatabaseCache();
      const [read] = await hidp(database, setting, [["read_keys", "some-provider", null, uri]], network);
      assert.equal((read as KeysRead).keys, null);
      assert.equal((read as KeysRead).refused.length, 1 - reached);
      assert.equal(connections, reached);
      await close();
    });
  }
});
