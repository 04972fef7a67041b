/** What a statement for D1 is made of, as far as its values and its count of changes ask for it. */

import type { SqlValue } from "../store.ts";

/** What the adapter has to know of a statement. */
interface Parts {
  /** Where its placeholders stand. */
  readonly placeholders: readonly number[];
  /** Whether it inserts, updates or deletes rows. */
  readonly writes: boolean;
  /** Whether it says which rows it returns, or how many it takes at most. */
  readonly returns: boolean;
}

/** Texts, names and comments, whose content is not SQL; then the few words and signs of SQL that matter here. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?\*\/|[?()]|\b(?:insert|replace|update|delete|select|values|returning|limit)\b/gi;

const WRITES = ["INSERT", "REPLACE", "UPDATE", "DELETE"];
const ENDS = ["RETURNING", "LIMIT"];

function partsOf(sql: string): Parts {
  const placeholders: number[] = [];
  let depth = 0;
  // The first of these words outside of parentheses; what is before it are the names of common table expressions.
  let verb = "";
  let returns = false;
  for (const { 0: token, index } of sql.matchAll(TOKEN)) {
    if (token === "?") placeholders.push(index);
    else if (token === "(") depth += 1;
    else if (token === ")") depth -= 1;
    else if (depth === 0 && /^\w/.test(token)) {
      const word = token.toUpperCase();
      if (ENDS.includes(word)) returns = true;
      else if (verb === "") verb = word;
    }
  }
  return { placeholders, writes: WRITES.includes(verb), returns };
}

/** A statement as D1 takes it. */
export interface Bindable {
  readonly sql: string;
  readonly values: readonly (string | number | null | Uint8Array)[];
  /** Whether one row comes back for each that it changed itself. */
  readonly countsByRows: boolean;
}

/**
 * The statement with its integers and truths written into the text: D1 binds every number as a float, which compares with no
 * text and is not exact beyond 2^53, and takes no bigint. With `counts`, a statement that changes rows gives one back for each.
 */
export function bindable(sql: string, params: readonly SqlValue[], counts: boolean): Bindable {
  const { placeholders, writes, returns } = partsOf(sql);
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
  const mayCount = counts && writes && !returns;
  return {
    sql: mayCount ? `${text} RETURNING 1` : text,
    values,
    countsByRows: counts && writes && (mayCount || returns),
  };
}

function literalOf(value: SqlValue): string | undefined {
  if (typeof value === "boolean") return value ? "1" : "0";
  const isInteger = typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value));
  // In parentheses, so that a minus before it is not the beginning of a comment.
  return isInteger ? `(${BigInt(value)})` : undefined;
}
