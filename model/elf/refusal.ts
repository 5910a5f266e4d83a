// How a module file is refused: as a value that separates the kernel's answer from ours.

import type { Errno } from "../../spec/types/errno.ts";

/** Why a file, or one step of loading it, does not go on. */
export interface Refusal {
  readonly ok: false;
  /** What is wrong, where, and what to do about it, in one sentence for people. */
  readonly error: string;
  /**
   * What finit_module returns for it; undefined where the kernel has no check, so that what it
   * would do is not defined and only we stop.
   */
  readonly errno: Errno | undefined;
}

/** A value, or the reason why there is none. */
export type Result<T> = ({ readonly ok: true } & T) | Refusal;

/** A refusal that the kernel gives too, with its errno; the parts make one sentence. */
export const kernelRefuses = (errno: Errno, ...sentence: readonly string[]): Refusal => ({
  ok: false,
  error: sentence.join(" "),
  errno,
});

/** A refusal of ours: the kernel does not look, and would go on into what is not defined. */
export const kernelDoesNotCheck = (...sentence: readonly string[]): Refusal => ({
  ok: false,
  error: sentence.join(" "),
  errno: undefined,
});

/** What to do about a file that no build makes; the end of many sentences. */
export const CORRUPT = "the file is corrupt, so build it again.";

/** A name out of a file, fit to be printed: quoted, escaped and not longer than a line. */
export const quoted = (name: string): string =>
  JSON.stringify(name.length <= 60 ? name : `${name.slice(0, 57)}...`);

/** A number out of a file as it stands in readelf. */
export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
