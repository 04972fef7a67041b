import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { JanitorError } from "../../errors.ts";
import { messageOf } from "../../message.ts";
import { named } from "./server-url.ts";

/** What TLS is done with, PEM. */
export interface Certificates {
  /** The authorities that are trusted, instead of those of Node. */
  readonly ca?: string;
  /** Our own certificate. */
  readonly cert?: string;
  /** The key of it. */
  readonly key?: string;
  /** What that key is encrypted with. */
  readonly passphrase?: string;
}

/** Which option names which file. */
export type CertificateOptions = Readonly<Record<"ca" | "cert" | "key", string>>;

/**
 * Reads the files that an address names.
 *
 * @param passphrase the password of the key, where it has one
 * @throws JanitorError `invalid_setting` for one that cannot be read or is no such thing
 */
export async function readCertificates(
  options: ReadonlyMap<string, string>,
  names: CertificateOptions,
  passphrase?: string,
): Promise<Certificates> {
  const ca = await readNamed(options, names.ca);
  const cert = await readNamed(options, names.cert);
  const key = await readNamed(options, names.key);
  if ((cert === undefined) !== (key === undefined)) {
    const [one, other] = cert === undefined ? [names.key, names.cert] : [names.cert, names.key];
    throw wrong(`${named(one)} needs \`${other}\` beside it`);
  }
  if (ca !== undefined) judge(names.ca, options, () => new X509Certificate(ca));
  if (cert !== undefined) judge(names.cert, options, () => new X509Certificate(cert));
  const own = { ...(cert && { cert }), ...(key && { key }), ...(passphrase && { passphrase }) };
  if (key !== undefined) judge(names.key, options, () => createSecureContext(own));
  return { ...(ca && { ca }), ...own };
}

async function readNamed(options: ReadonlyMap<string, string>, name: string): Promise<string | undefined> {
  const file = options.get(name);
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw wrong(`${named(name)} names \`${file}\`, which cannot be read: ${messageOf(error)}`, error);
  }
}

/** The drivers would take text that is none for no certificate at all, or fail once they connect. */
function judge(name: string, options: ReadonlyMap<string, string>, use: () => unknown): void {
  try {
    use();
  } catch (error) {
    const message = `${named(name)} names \`${options.get(name)}\`, which is of no use: ${messageOf(error)}`;
    throw wrong(message, error);
  }
}

function wrong(message: string, cause?: unknown): JanitorError {
  return new JanitorError("invalid_setting", message, { cause });
}
