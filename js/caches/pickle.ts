/**
 * The pickle of a text, as Python writes it, and a reader of that and nothing else: it never executes, builds or looks
 * up anything.
 */

import { binary } from "./base64.ts";
import { concat, decode, encode } from "./wtf8.ts";

/** Pickles beyond this many bytes are not read. A key set has some thousand. */
export const PICKLE_LIMIT = 16 * 1024 * 1024;

/** From this many bytes on, Python writes a text outside of frames. */
const FRAME_TARGET = 64 * 1024;

const PROTO = 0x80;
const FRAME = 0x95;
const SHORT_BINUNICODE = 0x8c;
const BINUNICODE = 0x58;
const UNICODE = 0x56;
const MEMOIZE = 0x94;
const BINPUT = 0x71;
const LONG_BINPUT = 0x72;
const PUT = 0x70;
const STOP = 0x2e;
const NEWLINE = 0x0a;

/** The bytes that `pickle.dumps(text, 5)` gives in Python, for texts of less than 4 GiB. */
export function pickleText(text: string): Uint8Array {
  const bytes = encode(text);
  const head =
    bytes.length < 0x100
      ? Uint8Array.of(SHORT_BINUNICODE, bytes.length)
      : concat([Uint8Array.of(BINUNICODE), number(bytes.length, 4)]);
  const body = [head, bytes, Uint8Array.of(MEMOIZE, STOP)];
  const start = Uint8Array.of(PROTO, 5);
  if (bytes.length >= FRAME_TARGET) return concat([start, ...body]);
  return concat([start, Uint8Array.of(FRAME), number(head.length + bytes.length + 2, 8), ...body]);
}

/** The text in a pickle of any protocol from 0 to 5, or null if there is anything else in it, or behind it. */
export function unpickleText(bytes: Uint8Array): string | null {
  if (bytes.length > PICKLE_LIMIT) return null;
  const body = withoutHeader(bytes);
  const [text, behind] = readText(body) ?? [];
  if (text === undefined || behind === undefined) return null;
  const rest = withoutMemo(behind);
  return rest.length === 1 && rest[0] === STOP ? text : null;
}

/** What follows the protocol and the frame; the whole of it if they are not as Python writes them. */
function withoutHeader(bytes: Uint8Array): Uint8Array {
  const [first, protocol = 0] = bytes;
  if (first !== PROTO || protocol < 2 || protocol > 5) return bytes;
  const body = bytes.subarray(2);
  // One frame holds all that follows, or there is none.
  if (protocol < 4 || body[0] !== FRAME || body.length < 9) return body;
  return numberAt(body, 1, 8) === body.length - 9 ? body.subarray(9) : body;
}

/** The text with which the bytes begin, and what follows it. */
function readText(bytes: Uint8Array): readonly [string, Uint8Array] | null {
  const [kind] = bytes;
  if (kind === UNICODE) {
    const end = bytes.indexOf(NEWLINE);
    const text = end < 0 ? null : unescaped(binary(bytes.subarray(1, end)));
    return text === null ? null : [text, bytes.subarray(end + 1)];
  }
  const width = kind === SHORT_BINUNICODE ? 1 : kind === BINUNICODE ? 4 : 0;
  if (width === 0 || bytes.length < 1 + width) return null;
  const end = 1 + width + numberAt(bytes, 1, width);
  const text = end > bytes.length ? null : decode(bytes.subarray(1 + width, end));
  return text === null ? null : [text, bytes.subarray(end)];
}

/** What follows where Python remembers the text, which it does unless told otherwise. */
function withoutMemo(bytes: Uint8Array): Uint8Array {
  switch (bytes[0]) {
    case MEMOIZE:
      return bytes.subarray(1);
    case BINPUT:
      return bytes.subarray(2);
    case LONG_BINPUT:
      return bytes.subarray(5);
    case PUT: {
      const end = bytes.indexOf(NEWLINE);
      return /^\d+$/.test(binary(bytes.subarray(1, Math.max(end, 1)))) ? bytes.subarray(end + 1) : bytes;
    }
    default:
      return bytes;
  }
}

/** Python's encoding `raw-unicode-escape`, in which pickles escape every backslash; null where one is not. */
function unescaped(raw: string): string | null {
  if (raw.replace(ESCAPE, "").includes("\\")) return null;
  return raw.replace(ESCAPE, (found) => String.fromCodePoint(Number.parseInt(found.slice(2), 16)));
}

/** Four digits, or eight up to the last character that there is. */
const ESCAPE = /\\u[\da-fA-F]{4}|\\U00(?:0[\da-fA-F]|10)[\da-fA-F]{4}/g;

/** A number in so many bytes, the lowest first. */
function number(value: number, width: 4 | 8): Uint8Array {
  const bytes = new Uint8Array(width);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function numberAt(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let place = width - 1; place >= 0; place -= 1) value = value * 256 + (bytes[at + place] ?? 0);
  return value;
}
