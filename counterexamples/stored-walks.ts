// Where walks of small worlds are kept: beside the other counterexamples, in a folder of their own.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseWalk, type StoredWalk } from "./walk.ts";

/** The folder, beside the scenarios. */
export const WALKS_FOLDER = "walks";

/** A stored walk that was read. */
export interface StoredWalkFile {
  readonly file: string;
  readonly walk: StoredWalk;
}

/** Reads every walk, in the order of their names; throws at one that does not fit. */
export function readStoredWalks(folder: string): readonly StoredWalkFile[] {
  const walks = join(folder, WALKS_FOLDER);
  if (!existsSync(walks)) return [];
  return readdirSync(walks)
    .filter((file) => file.endsWith(".json"))
    .sort()
    .map((name) => {
      const file = `${WALKS_FOLDER}/${name}`;
      const parsed = parseWalk(readFileSync(join(folder, file), "utf8"));
      if (!parsed.ok) throw new Error(`${file}: ${parsed.error}`);
      return { file, walk: parsed.walk };
    });
}
