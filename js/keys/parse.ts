import { call, parseKeySet as coreParseKeySet } from "../core.ts";
import { JanitorError } from "../errors.ts";
import type { JudgedKeySet } from "./report.ts";

/**
 * Reads and judges the text of a key set (RFC 7517, section 5). Pure, synchronous, and bounded: text up to 1 MiB, 16 levels,
 * 100 keys, and 2000 members of all its objects together.
 *
 * @throws JanitorError `invalid_setting` for what is no text, such as an object that was parsed before; a `key_set_*` code for text that is no key set, and for a set without one usable key
 */
export function parseKeySet(text: string): JudgedKeySet {
  if (typeof text !== "string") {
    throw new JanitorError("invalid_setting", "a key set is parsed from its text, and this is no text");
  }
  return call(() => coreParseKeySet(text));
}
