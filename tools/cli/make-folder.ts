// Makes a folder that somebody named, with those above it.

import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * `mkdirSync` with `recursive` never comes back where a folder above can be neither made nor found,
 * as below /proc: here each is made on its own, and what fails is an error.
 */
export function makeFolder(path: string): void {
  const whole = resolve(path);
  if (existsSync(whole)) return;
  makeFolder(dirname(whole));
  mkdirSync(whole);
}
