// Where a run keeps what it found out, so that one that was stopped goes on.

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Mutant } from "../cpu/candidates.ts";

/** Without this folder everything begins anew. */
export const KEPT = join(import.meta.dirname, "../../../out/faults");

/** What names a fault: the whole text of its file. */
export const hashOf = ({ file, text }: Mutant): string =>
  createHash("sha256").update(`${file}\0${text}`).digest("hex");
