// Loaded before the command line: tells on standard error that SQLite is about to be asked for the first time, and how long
// that took.

import { writeSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

const { exec } = DatabaseSync.prototype;

DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string): void {
  DatabaseSync.prototype.exec = exec;
  writeSync(process.stderr.fd, "asks\n");
  const began = performance.now();
  try {
    exec.call(this, sql);
  } finally {
    writeSync(process.stderr.fd, `waited ${Math.round(performance.now() - began)} ms\n`);
  }
};
