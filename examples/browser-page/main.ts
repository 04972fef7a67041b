import { createJanitor, init, listJobs, type Row } from "idp-janitor";
import { memory } from "idp-janitor/adapters/memory";
import { IDS, REFERENCES, USERS } from "./belongs.ts";

type Tables = Readonly<Record<string, readonly Row[]>>;

const find = <T extends Element>(selector: string) => document.querySelector<T>(selector) as T;
const form = find<HTMLFormElement>("form");
const file = find<HTMLInputElement>("#file");
const job = find<HTMLSelectElement>("#job");
const outcome = find<HTMLElement>("#outcome");

/** Counts what was asked: an answer that comes when something else is chosen is not shown. */
let turn = 0;
let remaining: { readonly name: string; readonly tables: Tables } | undefined;

/** Throws with what is wrong with it, in words. */
async function read(chosen: File): Promise<Tables> {
  const refuse = (why: string, cause?: unknown) => new Error(`${chosen.name} ${why}`, { cause });
  let value: unknown;
  try {
    // What is no UTF-8 would become other text, and be downloaded as such.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await chosen.arrayBuffer());
    value = JSON.parse(text, exact);
  } catch (error) {
    throw refuse(`cannot be read as JSON: ${messageOf(error)}`, error);
  }
  if (!isObject(value)) throw refuse("has no object of tables in it");
  for (const [table, rows] of Object.entries(value)) {
    if (!Array.isArray(rows) || !rows.every(isObject)) throw refuse(`has no list of rows as \`${table}\``);
  }
  return value as Tables;
}

/** Refuses what JavaScript has rounded: it would be downloaded as another number. */
function exact(_name: string, value: unknown): unknown {
  if (typeof value !== "number" || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value;
  throw new Error(`a number beyond 2^53, about ${value}, has to be text`);
}

async function judge(tables: Tables, name: string) {
  const references = REFERENCES.filter(({ collection }) => Object.hasOwn(tables, collection));
  const store = memory(tables, { ids: IDS, references });
  const janitor = createJanitor({ store, userTable: USERS });
  const now = new Date();
  const { summary, warnings } = await janitor.run(name, { now, dryRun: true });
  // The store has a copy of the rows, so a real run is a rehearsal as well. It takes along what belongs to a row, which
  // reports on stores like this one do not count: what remains tells it.
  await janitor.run(name, { now });
  const rest = Object.fromEntries(Object.keys(tables).map((table) => [table, store.rows(table)]));
  return { said: [summary, ...warnings].join(" "), rest };
}

function show(tables: Tables, rest: Tables): void {
  const rows = Object.entries(tables).map(([table, before]) => {
    const left = rest[table]?.length ?? 0;
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = table;
    row.append(head);
    for (const count of [before.length, before.length - left, left])
      row.insertCell().textContent = `${count}`;
    return row;
  });
  find("tbody").replaceChildren(...rows);
}

function clear(): void {
  turn += 1;
  remaining = undefined;
  outcome.hidden = true;
  for (const place of ["#problem", "#summary"]) find(place).textContent = "";
}

function complain(error: unknown): void {
  clear();
  find("#problem").textContent = messageOf(error);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const chosen = file.files?.[0];
  if (!chosen) return;
  clear();
  const mine = turn;
  const button = find<HTMLButtonElement>("form button");
  button.disabled = true;
  try {
    const tables = await read(chosen);
    const { said, rest } = await judge(tables, job.value);
    if (mine !== turn) return;
    show(tables, rest);
    find("#summary").textContent = said;
    remaining = { name: `remaining-${chosen.name}`, tables: rest };
    outcome.hidden = false;
  } catch (error) {
    if (mine === turn) complain(error);
  } finally {
    button.disabled = false;
  }
});

// What is shown is about the file and the job that are chosen.
form.addEventListener("change", clear);

find("#download").addEventListener("click", () => {
  if (!remaining) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(remaining.tables, null, 1)], { type: "application/json" }),
  );
  link.download = remaining.name;
  link.click();
  // It is read after this, in some browsers a good while.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
});

// Dropped beside the field, a file would otherwise be opened in place of this page.
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer?.files.length) return;
  file.files = event.dataTransfer.files;
  clear();
});

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  await init();
  job.replaceChildren(...listJobs().map(({ name, summary }) => new Option(`${name}: ${summary}`, name)));
} catch (error) {
  complain(error);
}
