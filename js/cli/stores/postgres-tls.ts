import type { ConnectionOptions } from "node:tls";
import { JanitorError } from "../../errors.ts";
import { suggestion } from "../suggest.ts";
import { readCertificates } from "./certificates.ts";
import { named } from "./server-url.ts";

const MODES = ["disable", "require", "verify-ca", "verify-full", "no-verify"];
const FILES = { ca: "sslrootcert", cert: "sslcert", key: "sslkey" } as const;
/** What pg takes for `ssl`, as one of the modes above. */
const SWITCHES: Readonly<Record<string, string>> = {
  ...{ true: "verify-full", "1": "verify-full" },
  ...{ false: "disable", "0": "disable", "no-verify": "no-verify" },
};

/**
 * What the options of an address ask of TLS, as pg 8 takes them: `require` and `verify-ca` verify the whole certificate,
 * its name included, as `verify-full` does. With `uselibpqcompat=true` they mean what they mean to libpq, which is less.
 * pg 9 is to take that for granted; an address keeps its meaning here, whichever version is installed.
 *
 * @returns undefined where nothing is said of it, which leaves it to the variable PGSSLMODE
 * @throws JanitorError `invalid_setting` for a mode that is not known, or a file that is of no use
 */
export async function postgresTls(
  options: ReadonlyMap<string, string>,
): Promise<ConnectionOptions | boolean | undefined> {
  const mode = modeOf(options);
  if (mode === undefined) return undefined;
  if (mode === "disable") return false;
  // `system` is libpq's word for the authorities that the machine trusts, which are Node's own here.
  const system = options.get("sslrootcert") === "system";
  const files = system ? new Map([...options].filter(([name]) => name !== "sslrootcert")) : options;
  const certificates = await readCertificates(files, FILES, options.get("sslpassword"));
  switch (mode) {
    case "no-verify":
      return { ...certificates, rejectUnauthorized: false };
    case "libpq:require":
      return certificates.ca ? byAuthority(certificates) : { ...certificates, rejectUnauthorized: false };
    case "libpq:verify-ca":
      if (certificates.ca) return byAuthority(certificates);
      throw wrong(
        "`sslmode=verify-ca` without `sslrootcert` would trust whoever has any certificate: name the file of the authority, or write `sslmode=verify-full`",
      );
    default:
      return { ...certificates };
  }
}

/** Whoever the authority has signed is trusted, by whatever name. */
function byAuthority(certificates: ConnectionOptions): ConnectionOptions {
  return { ...certificates, checkServerIdentity: () => undefined };
}

function modeOf(options: ReadonlyMap<string, string>): string | undefined {
  const asLibpq = options.get("uselibpqcompat") === "true";
  const ssl = options.get("ssl");
  if (ssl !== undefined && !Object.hasOwn(SWITCHES, ssl)) {
    throw wrong(`${named("ssl")} must be one of ${Object.keys(SWITCHES).join(", ")}`);
  }
  const mode = options.get("sslmode");
  if (mode === undefined) {
    if (ssl !== undefined) return SWITCHES[ssl];
    const files = Object.values(FILES).some((name) => options.has(name));
    return files || options.get("sslnegotiation") === "direct" ? "verify-full" : undefined;
  }
  if (mode === "prefer" || mode === "allow") {
    const why = `${named("sslmode")} is \`${mode}\`, and the driver does not go on without TLS where there is none`;
    throw wrong(`${why}: write \`sslmode=require\` or \`sslmode=disable\``);
  }
  if (!MODES.includes(mode)) {
    throw wrong(`${named("sslmode")} must be one of ${MODES.join(", ")}${suggestion(mode, MODES)}`);
  }
  return asLibpq && (mode === "require" || mode === "verify-ca") ? `libpq:${mode}` : mode;
}

function wrong(message: string): JanitorError {
  return new JanitorError("invalid_setting", message);
}
