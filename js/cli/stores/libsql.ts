import { libsql as adapter } from "../../adapters/libsql.ts";
import { JanitorError } from "../../errors.ts";
import { loadDriver } from "../drivers.ts";
import type { OpenedStore, StoreKind } from "./kind.ts";
import { CONNECT_MS, reached } from "./reached.ts";
import { named, parseServerUrl, type ServerUrl, shownHost, type UrlForm, wrongUrl } from "./server-url.ts";

/** `libsql://…` and the other addresses of libSQL servers, on the driver `@libsql/client`. */
export const libsql: StoreKind = { open, addressOf: async (url) => parse(url).address };

const FORM: UrlForm = {
  example: "libsql://HOST?authToken=TOKEN",
  options: ["authToken", "tls"],
};

interface LibsqlAddress {
  /** What the driver connects to, without the token. */
  readonly url: string;
  readonly authToken?: string;
  /** What tells it from others. */
  readonly address: string;
}

async function open(url: string): Promise<OpenedStore> {
  const { url: place, authToken, address } = parse(url);
  const driver = await loadDriver(
    "@libsql/client",
    "a database on libSQL",
    "store_failed",
    () => import("@libsql/client"),
  );
  // A request that nobody answers would keep the process for five minutes.
  const abort = new AbortController();
  const client = driver.createClient({
    ...{ url: place, intMode: "bigint" },
    ...(authToken && { authToken }),
    fetch: (request: Request) => fetch(request, { signal: abort.signal }),
  });
  const end = () => {
    client.close();
    abort.abort();
  };
  return reached(
    { store: adapter(client), close: async () => end() },
    { address, patienceMs: CONNECT_MS, giveUp: end },
  );
}

function parse(url: string): LibsqlAddress {
  const parsed = parseServerUrl(url, FORM);
  const { host, user, password, options } = parsed;
  if (!host) throw wrongUrl("names no host", FORM);
  if (user || password) throw wrongUrl("has a user or a password, which libSQL has not", FORM);
  const { scheme, port } = transport(url, parsed);
  const path = parsed.name ? `/${encodeURIComponent(parsed.name)}` : "";
  const authToken = options.get("authToken");
  return {
    url: `${scheme}://${shownHost(host)}:${port}${path}`,
    address: `libsql://${shownHost(host)}:${port}${path}`,
    ...(authToken && { authToken }),
  };
}

/** By https unless told otherwise, and to the port of that. */
function transport(url: string, { port, options }: ServerUrl): { scheme: string; port: number } {
  const scheme = url.slice(0, url.indexOf(":")).toLowerCase();
  const tls = options.get("tls");
  if (tls !== undefined && tls !== "0" && tls !== "1") {
    throw new JanitorError("invalid_setting", `${named("tls")} must be 0 or 1`);
  }
  if (scheme !== "libsql") {
    const isSecure = scheme === "https" || scheme === "wss";
    if (tls !== undefined && (tls === "1") !== isSecure)
      throw wrongUrl(`says \`tls=${tls}\`, which it is not`, FORM);
    return { scheme, port: port ?? (isSecure ? 443 : 80) };
  }
  if (tls !== "0") return { scheme: "https", port: port ?? 443 };
  if (port === undefined) throw wrongUrl("names no port, which it has to with `tls=0`", FORM);
  return { scheme: "http", port };
}
