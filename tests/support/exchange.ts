// One request to a test provider, and what is done about it.

import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";

/** A request as it came in, and what became of it. */
export interface Asked {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** When its headers were read, in milliseconds of `performance.now()`. */
  readonly at: number;
  /**
   * How it ended: still under way, answered to the end, or cut off by either side. An answer that a scenario wrote
   * past the HTTP library counts as cut off.
   */
  readonly state: "open" | "answered" | "cut";
  /** Bytes of the answer, headers included, that were handed to the system; the client may have read fewer. */
  readonly bytesSent: number;
}

/** A request that a scenario has to deal with. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** How many requests for this path there were before, in any query. */
  readonly nth: number;
  /** Aborted when the exchange is over, whether because of the client or because the provider closes. */
  readonly over: AbortSignal;
}

/** An answer that is data: 200 without headers of its own and without a body, unless it says otherwise. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<OutgoingHttpHeaders>;
  readonly body?: string | Uint8Array;
}

/** Deals with a request in its own way. It may leave the request open; closing the provider ends it. */
export type Handler = (exchange: Exchange) => void | Promise<void>;

/** What a provider does when it is asked for a path. */
export type Scenario = Answer | Handler;

/** Performs a scenario. Rejects with what a handler threw, other than because the exchange was over. */
export async function perform(scenario: Scenario, exchange: Exchange): Promise<void> {
  if (typeof scenario !== "function") {
    const { status = 200, headers = {}, body = "" } = scenario;
    // Bytes, because Node would send the headers in the encoding of a text.
    const bytes = Buffer.from(body);
    const length = status === 304 ? {} : { "content-length": bytes.length };
    exchange.response.writeHead(status, { ...length, ...headers }).end(bytes);
    return;
  }
  try {
    await scenario(exchange);
  } catch (error) {
    // A connection's error comes before its end.
    if (!exchange.over.aborted && !exchange.request.socket.destroyed) throw error;
  }
}
