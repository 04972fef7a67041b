import type { Socket } from "node:net";
import { within } from "../within.ts";

/** How long a server may take to say goodbye, in milliseconds. */
const PATIENCE_MS = 5000;

/**
 * The sockets of one pool. A pool says goodbye to its server, and a socket waits for the answer; where the network has gone
 * there is none for a quarter of an hour, and meanwhile the process would not end.
 */
export class Sockets {
  readonly #open = new Set<Socket>();

  /** Keeps account of a socket until it closes. */
  add(socket: Socket): Socket {
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  }

  /** Ends the pool in the usual way, so that the server hears of it, and in any case. */
  async end(pool: { end(): Promise<void> }): Promise<void> {
    const closed = [...this.#open].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    try {
      await within(PATIENCE_MS, Promise.all([pool.end(), ...closed]));
    } finally {
      this.destroy();
    }
  }

  /** Ends those that are open, without a word. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
