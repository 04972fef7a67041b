// What stands between the command line and a database server: poolers, proxies, networks that go away.

import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";

/** What somebody in between does with what the client sends. */
export interface Between {
  /**
   * Looks at each piece that the client sends, from the first of its connection on. What it returns goes to the server;
   * `"drop"` keeps a piece back; and what it writes to the client itself is its own matter.
   */
  onData(data: Buffer, client: Socket, at: number): Buffer | "drop";
}

/** Starts somebody in between, until the test is over; gives the port. */
export async function startBetween(test: TestContext, port: number, { onData }: Between): Promise<number> {
  const clients = new Set<Socket>();
  // A network that has gone says nothing of the end of a connection, and passes none on.
  const between = createServer({ allowHalfOpen: true }, (client) => {
    clients.add(client);
    const server = connect(port, "127.0.0.1");
    let pieces = 0;
    client.on("data", (data) => {
      const passed = onData(data, client, pieces++);
      if (passed !== "drop") server.write(passed);
    });
    server.pipe(client);
    for (const end of [client, server]) end.on("error", () => {});
    client.on("close", () => server.destroy());
  });
  between.listen(0, "127.0.0.1");
  await once(between, "listening");
  test.after(() => {
    for (const client of clients) client.destroy();
    between.close();
  });
  return (between.address() as AddressInfo).port;
}

/** A server that takes connections and says nothing; gives its port. */
export async function startSilence(test: TestContext): Promise<number> {
  const clients = new Set<Socket>();
  const silence = createServer((client) => void clients.add(client.on("error", () => {})));
  silence.listen(0, "127.0.0.1");
  await once(silence, "listening");
  test.after(() => {
    for (const client of clients) client.destroy();
    silence.close();
  });
  return (silence.address() as AddressInfo).port;
}

/** A port at which nobody listens. */
export async function deadPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
