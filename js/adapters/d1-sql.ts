/** What a statement for D1 is made of, as far as its values and its count of changes ask for it. */

import type { SqlValue } from "../store.ts";

/** What the adapter has to know of a statement. */
interface Parts {
  /** Where its placeholders stand. */
  readonly placeholders: readonly number[];
  /** Whether it inserts, updates or deletes rows. */
  readonly writes: boolean;
  /** Whether it says itself what it returns. */
  readonly returns: boolean;
  /** Whether it takes so many rows at most, beside which SQLite lets nothing be returned. */
  readonly limits: boolean;
}

/** Texts, names and comments, whose content is not SQL; then the few words and signs of SQL that matter here. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[?()]|\b(?:insert|replace|update|delete|select|values|create|alter|drop|explain|returning|limit)\b/gi;

const WRITES = ["INSERT", "REPLACE", "UPDATE", "DELETE"];

function partsOf(sql: string): Parts {
  const placeholders: number[] = [];
  const words: string[] = [];
  let depth = 0;
  for (const { 0: token, index } of sql.matchAll(TOKEN)) {
    if (token === "?") placeholders.push(index);
    else if (token === "(") depth += 1;
    else if (token === ")") depth -= 1;
    // In parentheses are the parts of a statement: the first word outside says what it is as a whole.
    else if (depth === 0 && /^\w/.test(token)) words.push(token.toUpperCase());
  }
  const [verb = ""] = words;
  return {
    placeholders,
    writes: WRITES.includes(verb),
    returns: words.includes("RETURNING"),
    limits: words.includes("LIMIT"),
  };
}

/** A statement as D1 takes it. */
export interface Bindable {
  readonly sql: string;
  readonly values: readonly (string | number | null | Uint8Array)[];
  /** Whether it changes rows. */
  readonly writes: boolean;
  /** Whether one row comes back for each that it changed itself: as it says itself, or as a mere count. */
  readonly returns: "its own" | "a count" | "nothing";
}

/**
 * The statement with its integers and truths written into the text: D1 binds every number as a float, which compares with no
 * text and is not exact beyond 2^53, and takes no bigint. With `counts`, a statement that changes rows gives one back for each.
 */
export function bindable(sql: string, params: readonly SqlValue[], counts: boolean): Bindable {
  const { placeholders, writes, returns, limits } = partsOf(sql);
  const values: (string | number | null | Uint8Array)[] = [];
  let text = "";
  let end = 0;
  placeholders.forEach((at, number) => {
    const value = params[number] ?? null;
    const literal = literalOf(value);
    if (literal === undefined) values.push(value as string | number | null | Uint8Array);
    text += sql.slice(end, at) + (literal ?? "?");
    end = at + 1;
  });
  text += sql.slice(end);
  if (counts && writes && !returns && !limits) {
    // On a line of its own, in case the statement ends in a comment.
    return { sql: `${text.replace(/;\s*$/, "")}\nRETURNING 1`, values, writes, returns: "a count" };
  }
  return { sql: text, values, writes, returns: writes && returns ? "its own" : "nothing" };
}

function literalOf(value: SqlValue): string | undefined {
  if (typeof value === "boolean") return value ? "1" : "0";
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  // In parentheses, so that a minus before it is not the beginning of a comment.
  return isInteger ? `(${BigInt(value)})` : undefined;
}
