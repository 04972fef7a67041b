import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, lstat, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { JanitorError } from "../errors.ts";
import { messageOf } from "../message.ts";
import type { Checkpoint, Report } from "../report.ts";
import { isPlainObject } from "./values.ts";

/** The file that carries a pass from one run to the next: the checkpoint, and the database that it belongs to. */
export class CheckpointFile {
  /** Where it is. */
  readonly path: string;
  /** Where the earlier run ended; absent where there was no file. */
  readonly checkpoint: Checkpoint | undefined;
  readonly #database: string;

  private constructor(path: string, database: string, checkpoint: Checkpoint | undefined) {
    this.path = path;
    this.#database = database;
    this.checkpoint = checkpoint;
  }

  /**
   * Reads the file if there is one, and makes sure that one can be written later.
   *
   * @param database the address of the database at hand, without credentials
   * @throws JanitorError `invalid_setting` if none could be written there, `invalid_checkpoint` if what is there is no
   * checkpoint, or that of another database
   */
  static async open(file: string, database: string): Promise<CheckpointFile> {
    const path = resolve(file);
    await requireWritableFolder(path);
    return new CheckpointFile(path, database, await read(path, database));
  }

  /** Keeps the checkpoint of a run that left work; removes the file after one that left none. */
  async settle(report: Report): Promise<void> {
    try {
      if (report.complete) await rm(this.path, { force: true });
      else if (report.checkpoint) await writeAtomically(this.path, this.#text(report.checkpoint));
    } catch (error) {
      const what = report.complete ? "removed" : "written";
      throw new JanitorError(
        "store_failed",
        `the checkpoint \`${this.path}\` could not be ${what}: ${messageOf(error)}`,
        {
          cause: error,
          report,
        },
      );
    }
  }

  #text(checkpoint: Checkpoint): string {
    return `${JSON.stringify({ database: this.#database, ...checkpoint })}\n`;
  }
}

async function requireWritableFolder(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error("it is not a folder");
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new JanitorError(
      "invalid_setting",
      `no checkpoint can be written to \`${folder}\`: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function read(path: string, database: string): Promise<Checkpoint | undefined> {
  const refuse = (why: string, cause?: unknown): JanitorError =>
    new JanitorError("invalid_checkpoint", `the checkpoint \`${path}\` ${why}`, { cause });
  let text: string;
  try {
    if (!(await stat(path)).isFile()) throw new Error("it is not a regular file");
    text = await readFile(path, "utf8");
  } catch (error) {
    if (await isAbsent(path)) return undefined;
    throw refuse(`cannot be read: ${messageOf(error)}`, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse("is not JSON", error);
  }
  if (!isPlainObject(value)) throw refuse("is not a checkpoint of idp-janitor");
  const { database: made, ...checkpoint } = value;
  if (typeof made !== "string") throw refuse("does not say which database it belongs to");
  // A copy, say that of a staging system, has the same tables, and the rows before the place would be passed over.
  if (made !== database) {
    const what =
      "remove the file to begin a new pass, or, if the database has only moved, change `database` in it";
    throw refuse(`belongs to \`${made}\`, not to \`${database}\`; nothing was changed; ${what}`);
  }
  // Whether the rest fits is for the core to say.
  return checkpoint as unknown as Checkpoint;
}

async function isAbsent(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === "ENOENT",
  );
}

/** A reader sees the old file or the new one, and after a power cut too; the place may be an id, so it is private. */
async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}`);
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
