// The one value that may differ from run to run: how a page that only ever was the host's is
// mapped in its stage 2.

import type { LogEvent } from "../../model/log.ts";
import { pfn } from "../../spec/types/address.ts";
import { argumentValue, isAllocated, type Names, resultValue } from "./pages.ts";
import type { RecordOf } from "./trace.ts";

/** The number of host_stage2_get_leaf in the measurement module's handler. */
const GET_LEAF = 13n;
const BLOCK = 0x20_0000n;

/** Whether no step before a place in the log knew the page as anything but plainly the host's. */
const onlyEverTheHosts = (log: readonly LogEvent[], event: number, page: bigint): boolean =>
  log
    .slice(0, event)
    .every((entry) => entry.kind !== "step" || !entry.step.post.pages.has(pfn(Number(page))));

/** Whether entry and level are one of the three forms that mean the same. */
function isPlain(pa: bigint, entry: bigint | undefined, level: bigint | undefined): boolean {
  if (entry === 0n) return true;
  if (level === 3n) return entry === pa + 0x7ffn;
  return level === 2n && entry === (pa & ~(BLOCK - 1n)) + 0x7fdn;
}

/**
 * Whether both sides read a plain mapping of a page that only ever was the host's. Source: the
 * traces' own description, "What may differ from run to run".
 */
export function isPlainLeaf(
  { args, out }: RecordOf<"call">,
  after: readonly bigint[],
  names: Names,
  log: readonly LogEvent[],
  event: number,
): boolean {
  const [op, pa] = args.slice(0, 2).map((text) => argumentValue(text, names));
  if (op !== GET_LEAF || pa === undefined || !isAllocated(pa >> 12n, names)) return false;
  const [realEntry, realLevel] = (out ?? []).slice(2).map((text) => resultValue(text, names));
  return (
    isPlain(pa, realEntry, realLevel) &&
    isPlain(pa, after[2], after[3]) &&
    onlyEverTheHosts(log, event, pa >> 12n)
  );
}
