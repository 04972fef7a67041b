// An identity provider on real TLS, on a port of its own, that does what a test tells it to.

import type { IncomingMessage, ServerResponse } from "node:http";
import { type Asked, type Exchange, perform, type Scenario } from "./exchange.ts";
import { type Count, Front, type FrontKind, Gauge } from "./front.ts";
import { keySet, type TestKey, testKey } from "./keys.ts";
import { type Caching, cached } from "./scenarios/caching.ts";
import { discovery } from "./scenarios/discovery.ts";
import { type CertificateKind, testTls } from "./tls.ts";

/** How a provider begins. */
export interface ProviderOptions {
  /** The keys that it publishes at `/jwks`; by default one, `rs256`. */
  readonly keys?: readonly TestKey[];
  /** Headers of the key set, and whether it answers 304. */
  readonly caching?: Caching;
  /** By default one that those who trust `provider.ca` accept. */
  readonly certificate?: CertificateKind;
  /** By default TLS. */
  readonly front?: FrontKind;
  /** The port to listen on, as for a provider that comes back; by default a free one. */
  readonly port?: number;
}

/** A running provider. */
export interface Provider {
  /** `https://localhost:…`, or `http://localhost:…` where it began without TLS. */
  readonly origin: string;
  /** The issuer that its discovery document names: the origin. */
  readonly issuer: string;
  /** The authority, PEM, to be trusted by a client of any provider of this process. */
  readonly ca: string;
  /** What was asked for, in order. */
  readonly requests: readonly Asked[];
  /** Connections to the port; a client may keep them although it asks for nothing. */
  readonly connections: Count;
  /** Requests under way, from their headers to the end of their answers. */
  readonly exchanges: Count;
  /** What the connections to come meet. */
  front: FrontKind;
  /** The address of a path; by default of the key set. */
  jwksUri(path?: string): string;
  /** What is to happen from now on when a path is asked for, whatever the query. Other paths are not found. */
  respond(path: string, scenario: Scenario): void;
  /** Publishes other keys at `/jwks`, cached as before. */
  rotate(...keys: readonly TestKey[]): void;
  /** Publishes an issuer below a path, such as `/tenant`, with a set and a discovery document of its own. */
  addIssuer(path: string, ...keys: readonly TestKey[]): string;
  /** Ends every connection, whatever it is in the middle of, and keeps listening. */
  hangUp(): void;
  /** Ends everything at once. Rejects with what the scenarios threw. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const JWKS = "/jwks";
const DISCOVERY = "/.well-known/openid-configuration";

/** Starts a provider that publishes a good key set at `/jwks` and a discovery document that points there. */
export async function startProvider(options: ProviderOptions = {}): Promise<Provider> {
  const { keys = [testKey("rs256")], caching, certificate, front: kind = "tls", port } = options;
  const { ca, ...pair } = await testTls(certificate);
  const scenarios = new Map<string, Scenario>();
  const desk = new Desk(scenarios);
  const front = await Front.open(kind, pair, (request, response) => desk.take(request, response), port);
  const origin = `${kind === "plain" ? "http" : "https"}://localhost:${front.port}`;

  const provider: Provider = {
    origin,
    issuer: origin,
    ca,
    requests: desk.requests,
    connections: front.connections,
    exchanges: desk.exchanges,
    get front() {
      return front.kind;
    },
    set front(next) {
      front.kind = next;
    },
    jwksUri: (path = JWKS) => origin + path,
    respond: (path, scenario) => void scenarios.set(path, scenario),
    rotate: (...next) => provider.respond(JWKS, cached(keySet(...next), caching)),
    addIssuer: (path, ...own) => publish(path, ...own),
    hangUp: () => front.hangUp(),
    close: async () => {
      await front.close();
      desk.settle();
    },
    [Symbol.asyncDispose]: () => provider.close(),
  };
  publish("", ...keys);
  return provider;

  function publish(path: string, ...own: readonly TestKey[]): string {
    const issuer = origin + path;
    scenarios.set(path + JWKS, cached(keySet(...own), caching));
    scenarios.set(path + DISCOVERY, discovery({ issuer, jwksUri: issuer + JWKS }));
    return issuer;
  }
}

/** Keeps the record of requests and finds the scenario of each. */
class Desk {
  readonly requests: Asked[] = [];
  readonly exchanges = new Gauge();
  readonly #scenarios: ReadonlyMap<string, Scenario>;
  readonly #counts = new Map<string, number>();
  readonly #errors: unknown[] = [];

  constructor(scenarios: ReadonlyMap<string, Scenario>) {
    this.#scenarios = scenarios;
  }

  take(request: IncomingMessage, response: ServerResponse): void {
    const { method = "", url = "", headers } = request;
    const path = url.split("?", 1)[0] ?? "";
    const nth = this.#counts.get(path) ?? 0;
    this.#counts.set(path, nth + 1);
    const record = new Entry(request, { method, path: url, headers, at: performance.now() });
    this.requests.push(record);

    const end = this.exchanges.begin();
    const over = new AbortController();
    // The socket's end counts as well: a scenario may have taken the socket away from its response.
    const finish = () => {
      record.end(response.writableFinished);
      end();
      over.abort();
    };
    response.once("close", finish);
    // A scenario that writes on after the client has gone is told so by `over`, and needs no error besides.
    response.on("error", () => {});
    request.socket.once("close", finish);
    // Listeners would pile up on connections that are used again.
    response.once("close", () => request.socket.off("close", finish));

    const scenario = this.#scenarios.get(path) ?? { status: 404, body: "not found" };
    const exchange: Exchange = { request, response, nth, over: over.signal };
    perform(scenario, exchange).catch((error: unknown) => {
      this.#errors.push(error);
      request.socket.destroy();
    });
  }

  /** Throws what the scenarios have thrown. */
  settle(): void {
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw new AggregateError(errors, "a scenario failed");
  }
}

class Entry implements Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Asked["headers"];
  readonly at: number;
  state: Asked["state"] = "open";
  readonly #sent: () => number;
  #total: number | undefined;

  constructor(request: IncomingMessage, asked: Pick<Asked, "method" | "path" | "headers" | "at">) {
    this.method = asked.method;
    this.path = asked.path;
    this.headers = asked.headers;
    this.at = asked.at;
    const { socket } = request;
    const before = socket.bytesWritten;
    this.#sent = () => socket.bytesWritten - before;
  }

  get bytesSent(): number {
    return this.#total ?? this.#sent();
  }

  /** Records the end, once. */
  end(answered: boolean): void {
    if (this.state !== "open") return;
    this.#total = this.#sent();
    this.state = answered ? "answered" : "cut";
  }
}
