// A store that stops the world between two effects of a run.

import type { SqlSession, SqlStore, Statement } from "idp-janitor";

export interface Hooks {
  /** Before a slice; `number` counts them from 1. */
  beforeSlice?(number: number, statements: readonly Statement[]): Promise<void> | void;
  /** After it, whether it was done or failed. */
  afterSlice?(number: number, done: boolean): Promise<void> | void;
  /** When a connection is taken that is kept: the one of the lease. */
  onSession?(session: SqlSession): Promise<void> | void;
  /** Changes the statements of a slice. */
  rewrite?(sql: string): string;
}

export function hooked(store: SqlStore, hooks: Hooks): SqlStore {
  let slices = 0;
  const openSession = store.session?.bind(store);
  return {
    ...store,
    ...(openSession && {
      async session() {
        const session = await openSession();
        await hooks.onSession?.(session);
        return session;
      },
    }),
    async batch(statements) {
      // What only looks for something can be a batch, too.
      if (!statements.some(({ sql }) => /\bDELETE\b/.test(sql))) return store.batch(statements);
      slices += 1;
      const number = slices;
      await hooks.beforeSlice?.(number, statements);
      const { rewrite } = hooks;
      const sent = rewrite
        ? statements.map(({ sql, params }) => ({ sql: rewrite(sql), params }))
        : statements;
      let done = false;
      try {
        const results = await store.batch(sent);
        done = true;
        return results;
      } finally {
        await hooks.afterSlice?.(number, done);
      }
    },
  };
}
