// What the consumers on the various runtimes report of the same work.

/** A session was removed from the store, one was selected from rows, and a key was judged usable. */
export const JOB_DONE = { jobs: 4, removed: { django_session: 1 }, stale: ["old"], usable: 1 };
