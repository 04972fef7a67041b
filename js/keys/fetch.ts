/** One request of a refresh: bounded in time and size, no redirect followed. */

import { fetchKeys } from "../core.ts";
import { wordsOf } from "../words.ts";
import type { FailureKind, FetchEffect, FetchedResponse, KeyAnswer } from "./effects.ts";

/** What a host may bring in place of gloo-net: `fetch`, or what behaves like it. */
export type Fetch = (
  url: string,
  init: {
    readonly headers: Record<string, string>;
    readonly redirect: "manual";
    readonly signal: AbortSignal;
  },
) => Promise<Response>;

/** Makes a request and tells what came of it; never throws. */
export async function send(
  effect: FetchEffect,
  fetch: Fetch | undefined,
  signal: AbortSignal | undefined,
): Promise<KeyAnswer> {
  // Ours alone, so that nobody else's reason for an abort reaches gloo-net, which panics on text.
  const controller = new AbortController();
  let ended: FailureKind | undefined;
  let end: (kind: FailureKind) => void = () => {};
  const early = new Promise<KeyAnswer>((resolve) => {
    end = (kind) => {
      ended ??= kind;
      controller.abort();
      resolve(failed(ended));
    };
  });
  const aborted = () => end("aborted");
  const timer = setTimeout(() => end("timeout"), effect.timeoutMs);
  signal?.addEventListener("abort", aborted);
  if (signal?.aborted) aborted();
  try {
    const answer = request(effect, fetch, controller.signal).then((response) =>
      read(response, effect, controller.signal),
    );
    // A `fetch` that heeds no signal is not waited for.
    return await Promise.race([answer, early]);
  } catch (error) {
    if (ended) return failed(ended);
    return error instanceof TooLarge ? failed("too_large") : failed("network", wordsOf(innermost(error)));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", aborted);
    controller.abort();
  }
}

function failed(kind: FailureKind, message = ""): KeyAnswer {
  return { failed: { kind, message } };
}

class TooLarge extends Error {}

/** What the runtime itself brings. */
const OWN_FETCH = globalThis.fetch;

async function request(
  effect: FetchEffect,
  fetch: Fetch | undefined,
  signal: AbortSignal,
): Promise<Response> {
  // gloo-net breaks the whole instance where `fetch` was replaced by what is not quite one, as mocks and polyfills are.
  if (!fetch && globalThis.fetch === OWN_FETCH) return fetchKeys(effect.url, effect.etag, signal);
  const headers = { accept: "application/json", ...(effect.etag && { "if-none-match": effect.etag }) };
  return (fetch ?? globalThis.fetch)(effect.url, { headers, redirect: "manual", signal });
}

async function read(
  response: Response,
  { url, maxBytes }: FetchEffect,
  signal: AbortSignal,
): Promise<KeyAnswer> {
  const header = (name: string) => response.headers.get(name) ?? undefined;
  const done = async () => {
    // What is not read is of no interest, and neither is how that ends.
    await response.body?.cancel().catch(() => {});
  };
  if (response.redirected) {
    // A `fetch` that has followed although it was told not to: the core decides on where it led.
    await done();
    return { response: { status: 0, location: response.url } };
  }
  const answer: FetchedResponse = {
    status: response.status,
    location: absolute(header("location"), url),
    etag: header("etag"),
    cacheControl: header("cache-control"),
    age: header("age"),
    retryAfter: header("retry-after"),
  };
  if (response.status === 200)
    return { response: { ...answer, body: await readBody(response, maxBytes, signal) } };
  await done();
  return { response: answer };
}

/** The text of a body, read chunk by chunk: one that is too long is not even received to its end. */
async function readBody(response: Response, maxBytes: number, signal: AbortSignal): Promise<string> {
  if (!response.body) return "";
  const reader = response.body.getReader();
  // Node forgets the signal of a request once that is collected as garbage, and would leave the connection open.
  signal.addEventListener("abort", () => reader.cancel().catch(() => {}));
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw new TooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** What is no address is given as it is: it is refused there. */
function absolute(location: string | undefined, base: string): string | undefined {
  if (location === undefined) return undefined;
  return URL.canParse(location, base) ? new URL(location, base).href : location;
}

/** The innermost cause says most: `fetch failed` says nothing, its cause names the refused connection. */
function innermost(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors.length > 0) return innermost(cause.errors[0]);
  return cause instanceof Error ? innermost(cause) : error;
}
