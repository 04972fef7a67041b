// A certificate authority in memory, so that a test speaks real TLS without a file or a tool of the machine.

// The certificate library resolves its parts by decorators, and leaves their polyfill to whoever loads it.
import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";

/** What a server shows, and the key that it proves it with; both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** What a server certificate is good for. */
export interface CertificateOptions {
  /** DNS names; by default `localhost`. */
  readonly names?: readonly string[];
  /** IP addresses; by default the loopback addresses. */
  readonly addresses?: readonly string[];
  /** From an hour ago until tomorrow by default. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate authority: its own certificate, PEM, and what it makes. */
export interface Authority {
  readonly ca: string;
  /** Makes a certificate for a server, with a key of its own. */
  issue(options?: CertificateOptions): Promise<Certificate>;
}

const HOUR_MS = 60 * 60 * 1000;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Makes an authority that nobody trusts yet. Two of the same name have different keys. */
export async function createAuthority(name = "Test Authority"): Promise<Authority> {
  const keys = await makeKeys();
  const root = await X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [name] }],
    ...validity({}),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { ca: root.toString("pem"), issue: (options = {}) => issue(root, keys, options) };
}

async function issue(
  root: X509Certificate,
  authority: CryptoKeyPair,
  options: CertificateOptions,
): Promise<Certificate> {
  const { names = ["localhost"], addresses = ["127.0.0.1", "::1"] } = options;
  const keys = await makeKeys();
  const certificate = await X509CertificateGenerator.create({
    subject: [{ CN: ["Test Server"] }],
    issuer: root.subject,
    ...validity(options),
    signingAlgorithm: ALGORITHM,
    signingKey: authority.privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: "dns", value }) as const),
        ...addresses.map((value) => ({ type: "ip", value }) as const),
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(authority.publicKey),
    ],
  });
  const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return { cert: certificate.toString("pem"), key: PemConverter.encode(key, "PRIVATE KEY") };
}

/** From an hour ago, because the clocks of a test may disagree. */
function validity(options: CertificateOptions): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  const { notBefore = new Date(now - HOUR_MS), notAfter = new Date(now + 24 * HOUR_MS) } = options;
  return { notBefore, notAfter };
}

async function makeKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}
