// The types of Node's `Buffer`, without asking for those of Node: a project for Workers or browsers does not have them.

type BytesConstructor = new (...args: never) => Uint8Array;

/** The type of the global `Buffer` where a project knows it; else that of whatever makes bytes. */
export type BufferConstructor = typeof globalThis extends {
  readonly Buffer: infer Known extends BytesConstructor;
}
  ? Known
  : BytesConstructor;

/** The bytes that it makes. */
export type BufferBytes = InstanceType<BufferConstructor>;
