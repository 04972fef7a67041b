import { call, parseKeySet as coreParseKeySet } from "../core.ts";
import type { JudgedKeySet } from "./report.ts";

/**
 * Reads and judges the text of a key set (RFC 7517, section 5). Pure, synchronous, and bounded: text up to 1 MiB, 16 levels,
 * 100 keys.
 *
 * @throws JanitorError a `key_set_*` code for text that is no key set, and for a set without one usable key
 */
export function parseKeySet(text: string): JudgedKeySet {
  return call(() => coreParseKeySet(text));
}
