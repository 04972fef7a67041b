/** The wasm core and its errors. How the wasm is found is the matter of `js/entry/`. */

import { initSync, default as start } from "./core/core.js";
import { type ErrorCode, JanitorError } from "./errors.ts";

export {
  cacheKeys,
  checkPolicy,
  checkProvider,
  fetchKeys,
  listJobs,
  parseKeySet,
  Refresh,
  Run,
  readAttempt,
  StoredKeys,
  selectStale,
  suggest,
  TokenRules,
} from "./core/core.js";

let loaded = false;
let loading: Promise<void> | undefined;

/** Loads the core from a compiled module, or the bytes of one where the host may compile. */
export function loadSync(module: WebAssembly.Module | BufferSource): void {
  if (loaded) return;
  initSync({ module });
  loaded = true;
}

/** Loads the core from an address. Asked again it does nothing; a failure is forgotten, so that it can be tried again. */
export function load(source: URL | Request | Response | Promise<Response>): Promise<void> {
  if (loaded) return Promise.resolve();
  loading ??= start({ module_or_path: source })
    .then(() => {
      loaded = true;
    })
    .finally(() => {
      loading = undefined;
    });
  return loading;
}

/** @throws JanitorError `not_loaded` if the core is not there yet. */
export function requireCore(): void {
  if (!loaded)
    throw new JanitorError(
      "not_loaded",
      'the wasm is not loaded yet: import "idp-janitor", and in a browser `await init()` first',
    );
}

/** Calls the core; what it throws becomes a {@link JanitorError}. */
export function call<T>(work: () => T): T {
  requireCore();
  try {
    return work();
  } catch (error) {
    throw fromCore(error);
  }
}

/** Frees an object of the core, also after the core has panicked. */
export function free(object: { free(): void }): void {
  try {
    object.free();
  } catch {
    // The instance is broken then; the error that broke it has been thrown already.
  }
}

function fromCore(error: unknown): JanitorError {
  if (error instanceof JanitorError) return error;
  if (isThrown(error)) {
    const { code, message, setting } = error;
    return new JanitorError(code, message, setting === undefined ? {} : { setting });
  }
  return new JanitorError("internal", `the core failed: ${String(error)}; this is a defect of idp-janitor`, {
    cause: error,
  });
}

function isThrown(error: unknown): error is { code: ErrorCode; message: string; setting?: string } {
  return (
    typeof error === "object" &&
    error !== null &&
    !(error instanceof Error) &&
    "code" in error &&
    "message" in error
  );
}
