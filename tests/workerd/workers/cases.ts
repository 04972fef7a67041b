/** A Worker's face to a conformance suite: it names its cases, and runs one by its place. */

import type { ConformanceCase } from "idp-janitor/testing";

/** Answers `/` with the names, and `/N` with null or what did not hold in the case N. */
export async function answer(request: Request, cases: readonly ConformanceCase[]): Promise<Response> {
  const path = new URL(request.url).pathname.slice(1);
  if (path === "") return Response.json(cases.map(({ name }) => name));
  try {
    await cases[Number(path)]?.run();
    return Response.json(null);
  } catch (error) {
    return Response.json(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
