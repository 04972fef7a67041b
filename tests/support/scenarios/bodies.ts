// Bodies that are too large, too slow, too deep or too short. To whoever reads them without a bound they are good
// sets of another key than a provider begins with, so that only a bound helps, and a test sees where there is none.

import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type Answer, type Handler, perform } from "../exchange.ts";
import { keySet, testKey } from "../keys.ts";

const MIB = 1024 * 1024;
const GOOD = JSON.stringify(keySet(testKey("rs256-next")));
const TYPE = { "content-type": "application/json" };
const zip = promisify(gzip);

/** How the end of a body is told: by its length beforehand, by chunks, or by the connection's end. */
export type Framing = "length" | "chunked" | "until-close";

/** A good set with so much white space that it has `bytes`, 64 MiB by default, by `length` or in chunks. */
export function large(framing: "length" | "chunked" = "chunked", bytes = 64 * MIB): Handler {
  return async ({ response, over }) => {
    response.writeHead(200, framing === "length" ? { ...TYPE, "content-length": bytes } : TYPE);
    response.write(GOOD);
    for (let left = bytes - GOOD.length; left > 0; left -= MIB) {
      if (!response.write(SPACES.subarray(0, Math.min(left, MIB)))) {
        await once(response, "drain", { signal: over });
      }
    }
    response.end();
  };
}

/** 64 MiB under a Content-Length that covers the good set they begin with. HTTP has the client read only that. */
export function largerThanSaid(bytes = 64 * MIB): Handler {
  return async ({ request: { socket }, over }) => {
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${GOOD.length}\r\n\r\n${GOOD}`,
    );
    for (let left = bytes - GOOD.length; left > 0; left -= MIB) {
      if (!socket.write(SPACES.subarray(0, Math.min(left, MIB))))
        await once(socket, "drain", { signal: over });
    }
    socket.end();
  };
}

/** A good set that has 64 MiB by default when it is unzipped, and some thousandth of that on the wire. */
export function gzipBomb(bytes = 64 * MIB): Handler {
  return async (exchange) => {
    const body = await bombOf(bytes);
    await perform({ headers: { ...TYPE, "content-encoding": "gzip" }, body }, exchange);
  };
}

/** A body as it should be zipped. */
export function gzipped(body: string = GOOD): Handler {
  return async (exchange) => {
    const headers = { ...TYPE, "content-encoding": "gzip" };
    await perform({ headers, body: await zip(body) }, exchange);
  };
}

/** A good set, a byte at a time. */
export function drip(everyMs = 1000, body: string = GOOD): Handler {
  return async ({ response, over }) => {
    response.writeHead(200, { ...TYPE, "content-length": Buffer.byteLength(body) });
    for (const byte of Buffer.from(body)) {
      response.write(Uint8Array.of(byte));
      await sleep(everyMs, undefined, { signal: over });
    }
    response.end();
  };
}

/** Headers now, and never a body. */
export function headersOnly(): Handler {
  return ({ response }) => {
    response.writeHead(200, { ...TYPE, "content-length": GOOD.length }).flushHeaders();
  };
}

/**
 * A body of which the second half is missing, and then the connection's end. Where that is also how the end is told,
 * the client has nothing but the JSON to see it by.
 */
export function cutOff(framing: Framing = "length", body: string = GOOD): Handler {
  return async ({ request: { socket } }) => {
    const half = body.slice(0, Math.floor(body.length / 2));
    const head = {
      length: `Content-Length: ${body.length}\r\n\r\n${half}`,
      chunked: `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n${half}`,
      "until-close": `Connection: close\r\n\r\n${half}`,
    }[framing];
    await new Promise<void>((resolve) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n${head}`, () => resolve());
    });
    socket.destroy();
  };
}

/** Brackets within brackets: where the keys should be, or in a member that nobody needs to look into. */
export function nested(where: "keys" | "elsewhere" = "keys", depth = 200_000): Answer {
  const brackets = "[".repeat(depth) + "]".repeat(depth);
  const body = where === "keys" ? `{"keys":${brackets}}` : `${GOOD.slice(0, -1)},"also":${brackets}}`;
  return { headers: TYPE, body };
}

const SPACES = Buffer.alloc(MIB, " ");
const bombs = new Map<number, Promise<Buffer>>();

function bombOf(bytes: number): Promise<Buffer> {
  const known = bombs.get(bytes);
  if (known !== undefined) return known;
  const bomb = zip(Buffer.concat([Buffer.from(GOOD), Buffer.alloc(bytes - GOOD.length, " ")]), { level: 9 });
  bombs.set(bytes, bomb);
  return bomb;
}
