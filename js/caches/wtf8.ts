/** UTF-8 that lets lone surrogates through, as Python's pickle does (its error handler `surrogatepass`). */

const ENCODER = new TextEncoder();
// A byte order mark is a character like others.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bytes of a text; a lone surrogate is three of them. */
export function encode(text: string): Uint8Array {
  // With the flag u, a surrogate matches only where it is no half of a pair.
  const parts = text.split(/([\ud800-\udfff])/u);
  if (parts.length === 1) return ENCODER.encode(text);
  return concat(parts.map((part, at) => (at % 2 === 1 ? surrogate(part) : ENCODER.encode(part))));
}

/** The text of the bytes, or null if they are none. */
export function decode(bytes: Uint8Array): string | null {
  let text = "";
  let from = 0;
  try {
    // In UTF-8, 0xED is never followed by more than 0x9F: what is beyond is a surrogate.
    for (let at = bytes.indexOf(0xed); at >= 0; at = bytes.indexOf(0xed, at + 1)) {
      const [second = 0, third = 0] = bytes.subarray(at + 1, at + 3);
      if (second < 0xa0 || second > 0xbf || third < 0x80 || third > 0xbf) continue;
      text += DECODER.decode(bytes.subarray(from, at));
      text += String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f));
      from = at + 3;
    }
    return text + DECODER.decode(bytes.subarray(from));
  } catch {
    return null;
  }
}

/** The bytes one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function surrogate(half: string): Uint8Array {
  const code = half.charCodeAt(0);
  return Uint8Array.of(0xed, 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}
