import { isIP } from "node:net";
import type { SslOptions } from "mysql2/promise";
import { JanitorError } from "../../errors.ts";
import { suggestion } from "../suggest.ts";
import { isPlainObject } from "../values.ts";
import { readCertificates } from "./certificates.ts";
import { named } from "./server-url.ts";

const MODES = ["DISABLED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"];
const FILES = { ca: "ssl-ca", cert: "ssl-cert", key: "ssl-key" } as const;

/**
 * What the options of an address ask of TLS, in the words of MySQL's own client; `ssl=true` verifies the whole
 * certificate. Where nothing is asked for there is none: the driver does not try it first.
 *
 * @throws JanitorError `invalid_setting` for a mode that is not known, or a file that is of no use
 */
export async function mysqlTls(
  options: ReadonlyMap<string, string>,
  host: string,
): Promise<SslOptions | undefined> {
  const given = options.get("ssl");
  if (given?.startsWith("{")) return driversOwn(given);
  const mode = modeOf(options);
  if (mode === "DISABLED") return undefined;
  const certificates = await readCertificates(options, FILES);
  if (mode === "REQUIRED") return { ...certificates, rejectUnauthorized: false };
  if (mode === "VERIFY_CA") {
    if (certificates.ca) return { ...certificates, rejectUnauthorized: true, verifyIdentity: false };
    throw wrong(
      "`ssl-mode=VERIFY_CA` without `ssl-ca` would trust whoever has any certificate: name the file of the authority, or write `ssl-mode=VERIFY_IDENTITY`",
    );
  }
  // The driver would hold the certificate against `localhost`.
  if (isIP(host)) {
    throw wrong(
      "the driver verifies no certificate of an IP address: write the name of the host, or `ssl-mode=VERIFY_CA` with `ssl-ca`",
    );
  }
  return { ...certificates, rejectUnauthorized: true, verifyIdentity: true };
}

function modeOf(options: ReadonlyMap<string, string>): string {
  const mode = options.get("ssl-mode")?.toUpperCase().replaceAll("-", "_");
  const ssl = options.get("ssl");
  if (mode === undefined) {
    if (ssl !== undefined) return switched(ssl);
    if (options.has("ssl-ca")) return "VERIFY_CA";
    if (!options.has("ssl-cert") && !options.has("ssl-key")) return "DISABLED";
    throw wrong(`${named("ssl-cert")} does not say how the server is verified: add \`ssl-mode\``);
  }
  if (mode === "PREFERRED") {
    const why = `${named("ssl-mode")} is \`PREFERRED\`, and the driver does not go on without TLS where there is none`;
    throw wrong(`${why}: write \`ssl-mode=REQUIRED\` or \`ssl-mode=DISABLED\``);
  }
  if (MODES.includes(mode)) return mode;
  throw wrong(`${named("ssl-mode")} must be one of ${MODES.join(", ")}${suggestion(mode, MODES)}`);
}

function switched(ssl: string): string {
  if (ssl === "true" || ssl === "1") return "VERIFY_IDENTITY";
  if (ssl === "false" || ssl === "0") return "DISABLED";
  throw wrong(`${named("ssl")} must be true or false`);
}

/** `ssl={"rejectUnauthorized":true}`, as some providers hand it out for this very driver. */
function driversOwn(json: string): SslOptions {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  const known = ["rejectUnauthorized", "verifyIdentity"];
  const fits = (entry: [string, unknown]) => known.includes(entry[0]) && typeof entry[1] === "boolean";
  if (isPlainObject(value) && Object.entries(value).every(fits)) return { ...value };
  throw wrong(`${named("ssl")} may be an object of ${known.join(" and ")}, which are true or false`);
}

function wrong(message: string): JanitorError {
  return new JanitorError("invalid_setting", message);
}
