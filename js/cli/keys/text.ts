import type { ClientReport, KeyStatus, KeyVerdict } from "../../keys/report.ts";
import { oneLine } from "../../message.ts";
import { columns } from "../text.ts";

/** What the original prints of a client, in Python's quotes. */
export function fetchingLine(client: string, uri: string): string {
  return `Fetching signing keys for '${client}' from '${uri}'...`;
}

/** How the refresh of a client ended. */
export function outcomeLine(report: ClientReport): string {
  const { client, outcome, keys, added, removed, changed, freshUntil } = report;
  if (outcome === "failed") return `${client}: failed`;
  const usable = keys.filter((key) => key.usable).length;
  const changes = [list("added", added), list("removed", removed), list("changed", changed)];
  const parts = [`${usable} usable key(s)`, ...changes, freshUntil && `fresh until ${shortly(freshUntil)}`];
  return oneLine(`${client}: ${outcome}, ${parts.filter(Boolean).join(", ")}`);
}

function list(what: string, ids: readonly string[]): string {
  return ids.length === 0 ? "" : `${what} ${ids.join(" ")}`;
}

/** What the cache has, client by client. */
export function statusLines(clients: readonly KeyStatus[], now: Date): string[] {
  return clients.flatMap((client, at) => [...(at === 0 ? [] : [""]), ...clientLines(client, now)]);
}

function clientLines(client: KeyStatus, now: Date): string[] {
  const { checkedAt, usableUntil, uri = "", lastFailure } = client;
  const lines = [`${client.client}: ${STATES[client.state]}`];
  if (checkedAt && usableUntil) {
    lines.push(`  from ${uri}, confirmed ${age(checkedAt, now)} ago, used until ${shortly(usableUntil)}`);
  }
  if (lastFailure) {
    const { at, message, code } = lastFailure;
    lines.push(`  the last attempt, ${age(at, now)} ago, failed: ${message} [${code}]`);
  }
  return [...lines, ...columns(client.keys.map(keyCells)).map((line) => `  ${line}`)].map(printable);
}

const STATES: Readonly<Record<KeyStatus["state"], string>> = {
  fresh: "fresh",
  stale: "stale; used, but to be refreshed",
  too_old: "too old; used no more",
  missing: "nothing is cached",
};

function keyCells({ kid, kty, crv, alg, thumbprint, usable, message }: KeyVerdict): string[] {
  const kind = [kty, crv, alg].filter(Boolean).join(" ");
  return [kid ?? "(no id)", kind, thumbprint ?? "", usable ? "usable" : `not used: ${message ?? ""}`];
}

/** Whole seconds, without their fraction. */
function shortly(instant: string): string {
  return instant.replace(/\.\d+/, "");
}

function age(since: string, now: Date): string {
  const minutes = Math.max(0, Math.floor((now.getTime() - Date.parse(since)) / 60_000));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}

/** Ids come from providers: none of them may steer the terminal. */
function printable(line: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}
