// Connections that come to nothing after their handshake; `provider.front` is for those that come to nothing before.

import type { Handler } from "../exchange.ts";

/** Reads the request and never answers. */
export function neverAnswers(): Handler {
  return () => {};
}

/** Reads the request and ends the connection without an answer. */
export function hangsUp(): Handler {
  return ({ request }) => {
    request.socket.destroy();
  };
}
