// Validators and lifetimes: 304 where it is due, and headers as odd as they come.

import { createHash } from "node:crypto";
import { type Answer, type Handler, perform } from "../exchange.ts";
import type { KeySet } from "../fixtures.ts";
import { json, raw } from "./answers.ts";

/** The headers of a cached answer. */
export interface Caching {
  /** As it stands in the header, with its quotes; by default a strong one of the body; null for none. */
  readonly etag?: string | null;
  readonly lastModified?: Date;
  /** Such as `public, max-age=3600`. */
  readonly cacheControl?: string;
  /** Seconds that the answer has spent in caches. */
  readonly age?: number | string;
  /** As it stands in the header. */
  readonly expires?: string;
}

/** A key set that answers 304 to whoever has it already. */
export function cached(set: KeySet, caching: Caching = {}): Handler {
  const answer = json(set);
  const { lastModified } = caching;
  const etag = caching.etag === undefined ? etagOf(String(answer.body)) : caching.etag;
  const headers = {
    ...answer.headers,
    ...(etag === null ? {} : { etag }),
    ...(lastModified === undefined ? {} : { "last-modified": lastModified.toUTCString() }),
    ...(caching.cacheControl === undefined ? {} : { "cache-control": caching.cacheControl }),
    ...(caching.age === undefined ? {} : { age: String(caching.age) }),
    ...(caching.expires === undefined ? {} : { expires: caching.expires }),
  };
  return (exchange) => {
    const { request } = exchange;
    const known = request.headers["if-none-match"];
    const since = Date.parse(request.headers["if-modified-since"] ?? "");
    // RFC 9110, 13.2.2: the date counts only where no ETag was sent.
    const fresh =
      known === undefined
        ? lastModified !== undefined && Math.floor(lastModified.getTime() / 1000) <= since / 1000
        : etag !== null && matches(known, etag);
    const { "content-type": _type, ...validators } = headers;
    return perform(fresh ? { status: 304, headers: validators } : { ...answer, headers }, exchange);
  };
}

/** 304 for everyone, also for those who have nothing yet. */
export function alwaysNotModified(etag = '"unasked"'): Answer {
  return { status: 304, headers: { etag } };
}

/** ETags as a header can carry them, that a client may keep and send back or leave alone, but not fall over. */
export const ODD_ETAGS = {
  weak: 'W/"weak"',
  empty: '""',
  bare: "without-quotes",
  asterisk: "*",
  "with a comma": '"one", "two"',
  "with a tab": '"a\tb"',
  "with quotes": '"a"b"',
  "of Latin-1": '"\u00e9"',
  "of 8 KiB": `"${"e".repeat(8192)}"`,
} as const;

/** A key set with an ETag that is no header by the rules, on the wire as it is: folded, with control characters. */
export function brokenEtag(set: KeySet, kind: keyof typeof BROKEN_ETAGS): Handler {
  const body = JSON.stringify(set);
  return raw(
    `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nETag: ${BROKEN_ETAGS[kind]}\r\n\r\n${body}`,
  );
}

/** What `brokenEtag` can send. A parser may refuse the whole answer for it. */
export const BROKEN_ETAGS = {
  "folded over two lines": '"a\r\n b"',
  "with a bare newline": '"a\nX-Injected: yes"',
  "with a bare carriage return": '"a\rX-Injected: yes"',
  "with a NUL": '"a\0b"',
  "of 64 KiB": `"${"e".repeat(65_536)}"`,
} as const;

function etagOf(body: string): string {
  return `"${createHash("sha256").update(body).digest("base64url")}"`;
}

/** RFC 9110, 8.8.3.2: If-None-Match compares weakly. */
function matches(header: string, etag: string): boolean {
  if (header.trim() === "*") return true;
  const strong = (tag: string) => tag.trim().replace(/^W\//, "");
  // The whole header as well, for odd ETags with commas in them.
  return [header, ...header.split(",")].some((tag) => strong(tag) === strong(etag));
}
