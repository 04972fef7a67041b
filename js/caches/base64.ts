/** Bytes as base64, in every runtime. */

/** How many bytes are turned into characters by one call: a call takes only so many arguments. */
const CHUNK = 8192;

/** The bytes as base64, on one line, padded. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(binary(bytes));
}

/** The bytes of base64 text; none if it is no base64. */
export function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}

/** One character a byte, U+0000 to U+00FF. */
export function binary(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  }
  return text;
}
