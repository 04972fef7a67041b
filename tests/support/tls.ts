// The authority that the servers of a test process share, and how a process comes to trust it.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { type Authority, type Certificate, createAuthority } from "./certificates.ts";

/** What a server can show: the right certificate, or one that every client has to refuse. */
export type CertificateKind = "trusted" | "untrusted" | "wrong-name" | "expired";

/** The certificate of an authority, and one for `localhost`, 127.0.0.1 and ::1 that it has signed; all PEM. */
export interface TestTls extends Certificate {
  readonly ca: string;
}

let shared: Promise<Authority> | undefined;

/** The process's authority with a server certificate of the given kind. The authority is made once a process. */
export async function testTls(kind: CertificateKind = "trusted"): Promise<TestTls> {
  shared ??= createAuthority();
  const authority = await shared;
  return { ca: authority.ca, ...(await certificateOf(authority, kind)) };
}

async function certificateOf(authority: Authority, kind: CertificateKind): Promise<Certificate> {
  switch (kind) {
    case "trusted":
      return authority.issue();
    case "untrusted":
      // The same name as the trusted one has, so that only the signature tells them apart.
      return (await createAuthority()).issue();
    case "wrong-name":
      return authority.issue({ names: ["elsewhere.example"], addresses: [] });
    case "expired":
      return authority.issue({ notAfter: new Date(Date.now() - 60_000) });
  }
}

/**
 * Makes this process trust an authority, for `fetch` and `node:https` alike, next to those it trusts already.
 * Returns what undoes it, the last first where there are several. Connections that are open stay as they are.
 */
export function trustInProcess(ca: string): () => void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, ca]);
  return () => setDefaultCACertificates(before);
}

/** The environment in which a child process of Node trusts an authority. Its file goes when this process ends. */
export function trustInChildren(ca: string): { NODE_EXTRA_CA_CERTS: string } {
  const folder = mkdtempSync(join(tmpdir(), "idp-janitor-ca-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "ca.pem");
  writeFileSync(path, ca);
  return { NODE_EXTRA_CA_CERTS: path };
}
