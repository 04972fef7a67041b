// The port of a test provider: what happens to a connection before there is any HTTP, and how many there are.

import { once } from "node:events";
import { createServer as createPlainServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createServer, type Server, type Socket } from "node:net";
import type { Certificate } from "./certificates.ts";

/**
 * What a connection meets: TLS; HTTP without TLS; a reset as soon as the client has said hello; or nothing at all,
 * so that the handshake never ends.
 */
export type FrontKind = "tls" | "plain" | "reset" | "silent";

/** How many of something there are, and have been. */
export interface Count {
  readonly now: number;
  /** The most at a time. */
  readonly most: number;
  readonly total: number;
}

/** Counts things that begin and end. */
export class Gauge implements Count {
  now = 0;
  most = 0;
  total = 0;

  /** Counts one more, until what this returns is called. */
  begin(): () => void {
    this.total += 1;
    this.now += 1;
    this.most = Math.max(this.most, this.now);
    let ended = false;
    return () => {
      if (!ended) this.now -= 1;
      ended = true;
    };
  }
}

/** A port on 127.0.0.1 whose connections can be served in different ways. */
export class Front {
  /** For the connections to come. */
  kind: FrontKind;
  readonly connections = new Gauge();
  readonly #port: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(kind: FrontKind, certificate: Certificate, listener: RequestListener) {
    this.kind = kind;
    const { cert, key } = certificate;
    const tls = createTlsServer({ cert, key }, listener);
    const plain = createPlainServer(listener);
    this.#port = createServer({ noDelay: true }, (socket) => {
      this.#keep(socket);
      switch (this.kind) {
        case "tls":
          tls.emit("connection", socket);
          break;
        case "plain":
          plain.emit("connection", socket);
          break;
        case "reset":
          socket.once("data", () => socket.resetAndDestroy());
          break;
        case "silent":
          socket.resume();
          break;
      }
    });
  }

  /** Listens on a free port, or on the one given. */
  static async open(
    kind: FrontKind,
    certificate: Certificate,
    listener: RequestListener,
    port = 0,
  ): Promise<Front> {
    const front = new Front(kind, certificate, listener);
    front.#port.listen(port, "127.0.0.1");
    await once(front.#port, "listening");
    return front;
  }

  /** The port's number. */
  get port(): number {
    const address = this.#port.address();
    if (address === null || typeof address === "string") throw new Error("the port is closed");
    return address.port;
  }

  /** Ends every connection, whatever it is in the middle of. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends every connection and gives the port back. */
  async close(): Promise<void> {
    if (!this.#port.listening) return;
    const closed = once(this.#port, "close");
    this.#port.close();
    this.hangUp();
    await closed;
  }

  #keep(socket: Socket): void {
    const end = this.connections.begin();
    this.#sockets.add(socket);
    // A client that goes away is nothing that a test wants to fail for.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#sockets.delete(socket);
      end();
    });
  }
}
