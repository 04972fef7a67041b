// Redirects, of which a client of key sets should follow few or none.

import type { Answer, Handler } from "../exchange.ts";

/** The statuses that send a client elsewhere. */
export const REDIRECTS = [301, 302, 303, 307, 308] as const;

/** One of them. */
export type RedirectStatus = (typeof REDIRECTS)[number];

/** Sends the client to another place: a path of the same origin, or any URL. */
export function redirect(location: string, status: RedirectStatus = 302): Answer {
  return { status, headers: { location }, body: "elsewhere\n" };
}

/** Sends the client to where it is. */
export function redirectLoop(status: RedirectStatus = 302): Handler {
  return ({ request, response }) => {
    response.writeHead(status, { location: request.url ?? "/" }).end();
  };
}

/** A redirect without a place. */
export function redirectNowhere(status: RedirectStatus = 302): Answer {
  return { status, body: "elsewhere\n" };
}

/** Sends the client from one query of the path to the next, without an end. */
export function endlessRedirects(status: RedirectStatus = 302): Handler {
  return ({ request, response, nth }) => {
    const path = (request.url ?? "/").split("?", 1)[0];
    response.writeHead(status, { location: `${path}?hop=${nth + 1}` }).end();
  };
}
