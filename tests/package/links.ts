// Links between pages of Markdown.

import { existsSync, readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";

/** What is shown as it is written, and hence no link. */
const CODE = /^ *```[\s\S]*?^ *```|^ {4}.*$|`[^`\n]*`/gm;
/** A link in the text, a definition of one, or an attribute. */
const LINK = /\]\(\s*<?([^)>\s]+)|^ {0,3}\[[^\]]+\]:\s*<?([^>\s]+)|\b(?:href|src)="([^"]+)"/gm;
const SCHEME = /^[a-z][a-z0-9+.-]*:/i;

/**
 * The links of a page that lead to nothing, or out of a folder: to a file or a heading that is not there. What has a scheme is
 * not followed.
 */
export function brokenLinks(page: string, within: string): string[] {
  const text = readFileSync(page, "utf8").replace(CODE, "");
  const links = [...text.matchAll(LINK)].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
  return links.filter((link) => !SCHEME.test(link) && !leads(link, page, within));
}

function leads(link: string, page: string, within: string): boolean {
  const [path = "", heading] = link.split("#");
  const target = path === "" ? page : resolve(dirname(page), decodeURIComponent(path));
  if (relative(within, target).startsWith("..") || !existsSync(target)) return false;
  return heading === undefined || headings(target).includes(heading);
}

/** The headings of a page, by the names that the usual renderers give them. */
function headings(page: string): string[] {
  const titles = readFileSync(page, "utf8").matchAll(/^#+ +(.*?) *$/gm);
  return [...titles].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, "")
      .replaceAll(" ", "-"),
  );
}
