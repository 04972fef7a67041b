// The command line asks a libSQL server, or says in one line why not. The server is a pretended one: what it answers is
// for the adapter's own tests.

import { equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { assertRefused, newFolder, run } from "../command.ts";
import { deadPort, startSilence } from "./between.ts";

async function startServer(
  test: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  test.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const addresses = (port: number) => [
  `libsql://127.0.0.1:${port}?tls=0&authToken=sEcret`,
  `http://127.0.0.1:${port}?authToken=sEcret`,
];

describe("libSQL", { concurrency: 4 }, () => {
  test("is shown the token, and nobody else is", async (t) => {
    const tokens = new Set<string | undefined>();
    const port = await startServer(t, (request, response) => {
      tokens.add(request.headers.authorization);
      response.writeHead(401).end("no");
    });
    for (const address of addresses(port)) {
      const outcome = await run(newFolder(t), ["doctor", "--database", address], { IDP_JANITOR_DEBUG: "1" });
      equal(outcome.status, 1);
      match(
        outcome.stderr,
        new RegExp(`^idp-janitor: \`libsql://127\\.0\\.0\\.1:${port}\` .* \\[store_denied\\]\n`),
      );
      equal(outcome.stderr.includes("sEcret"), false, outcome.stderr);
    }
    equal([...tokens].join(), "Bearer sEcret");
  });

  test("that is not there, by http and by websocket", async (t) => {
    const port = await deadPort();
    for (const address of [...addresses(port), `ws://127.0.0.1:${port}?authToken=sEcret`]) {
      const outcome = await run(newFolder(t), ["doctor", "--database", address]);
      assertRefused(outcome, 1, "store_unavailable", /ECONNREFUSED.*; nothing was changed \[/);
      equal(outcome.stderr.includes("sEcret"), false);
    }
  });

  test("that says nothing is given up on", async (t) => {
    const port = await startSilence(t);
    const began = performance.now();
    await Promise.all(
      [`libsql://127.0.0.1:${port}?tls=0`, `ws://127.0.0.1:${port}`].map(async (address) => {
        const outcome = await run(newFolder(t), ["doctor", "--database", address]);
        assertRefused(outcome, 1, "store_unavailable", /no answer within 10 s; nothing was changed/);
      }),
    );
    const seconds = (performance.now() - began) / 1000;
    ok(seconds > 9 && seconds < 25, `${seconds} s`);
  });
});
