// What a call asks for that moves, shares, pins or protects pages: read from hypercalls and ops.

import type { Step } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import type { Hvc, Op } from "../types/action.ts";
import { PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import type { PageState } from "../types/page.ts";
import { reachedHcall } from "./hypercall.ts";
import { all, answers, changesOnly, ensure, equal, type Verdict } from "./phrases.ts";

export type TransferStep = Step<Hvc | Op>;

export type Transfer =
  | "share"
  | "unshare"
  | "donate"
  | "return"
  | "pin"
  | "unpin"
  | "protect"
  | "leaf";

/** One call: the physical range in bytes, neither number checked by anyone. */
export interface Asked {
  readonly what: Transfer;
  readonly start: bigint;
  readonly bytes: bigint;
  /** Of a change of protection: an enum of 64 bits. */
  readonly prot: bigint;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** What EL2's linear map adds. Source: measured, machines: pa - 0x40000000 + 0x4000000000. */
const LINEAR = 0x40_0000_0000n - 0x4000_0000n;
/** One beyond the last address. Source: measured, 40 bits for the host and 39 for EL2. */
const HOST_LIMIT = 1n << 40n;
const HYP_LIMIT = 1n << 39n;

const pages = (what: Transfer, frame = 0n, nr = 1n, prot = 0n): Asked => ({
  what,
  start: u64(frame << PAGE_SHIFT),
  bytes: u64(nr << PAGE_SHIFT),
  prot,
});

/** Whole pages between two EL2 addresses. */
function between(what: Transfer, from = 0n, to = 0n): Asked {
  const first = from - (from % PAGE_SIZE);
  const up = u64(to + PAGE_SIZE - 1n);
  const end = up - (up % PAGE_SIZE);
  return { what, start: u64(first - LINEAR), bytes: u64(end - first), prot: 0n };
}

function askedByOp({ op, args }: Op): Asked | undefined {
  switch (op) {
    case "host_share_hyp":
      return pages("share", args[0]);
    case "host_unshare_hyp":
      return pages("unshare", args[0]);
    case "host_donate_hyp":
      return pages("donate", args[0], args[1] ?? 0n);
    case "hyp_donate_host":
      return pages("return", args[0], args[1] ?? 0n);
    case "pin_shared_mem":
      return between("pin", args[0], args[1]);
    case "unpin_shared_mem":
      return between("unpin", args[0], args[1]);
    case "host_stage2_mod_prot":
      return pages("protect", args[0], 1n, args[1]);
    case "host_stage2_mod_prot_range":
      return pages("protect", args[0], args[2] ?? 0n, args[1]);
    case "host_stage2_get_leaf":
      return pages("leaf", (args[0] ?? 0n) >> PAGE_SHIFT);
    default:
      return undefined;
  }
}

/** What a step asks for, if it is a hypercall or an op of this kind. */
export function askedBy({ pre, action, outcome, post }: TransferStep): Asked | undefined {
  if (action.kind === "op") return askedByOp(action);
  const name = reachedHcall({ pre, action, outcome, post });
  if (name === "__pkvm_host_share_hyp") return pages("share", action.x[1]);
  if (name === "__pkvm_host_unshare_hyp") return pages("unshare", action.x[1]);
  return undefined;
}

/** Where the range lies in the table that is asked: the host's, or EL2's linear map. */
const firstIn = ({ what, start }: Asked): bigint =>
  what === "return" ? u64(start + LINEAR) : start;

/** Whether the end of the range needs more than 64 bits. */
export const overflows = (asked: Asked): boolean => firstIn(asked) + asked.bytes >= 1n << 64n;

const beyond = (first: bigint, bytes: bigint, limit: bigint): boolean =>
  first > limit || first + bytes > limit;

/** Whether the table that is asked ends before the range does. */
export const isBeyond = (asked: Asked): boolean =>
  beyond(firstIn(asked), asked.bytes, asked.what === "return" ? HYP_LIMIT : HOST_LIMIT);

/** Whether EL2's linear map ends before the range does. */
export const isBeyondHyp = ({ start, bytes }: Asked): boolean =>
  beyond(u64(start + LINEAR), bytes, HYP_LIMIT);

/** Whether the table can be asked about the range at all. */
export const isWalked = (asked: Asked): boolean => !overflows(asked) && !isBeyond(asked);

/** NON-SPEC: more pages than this are not looked at one by one. */
const LOOKED_AT = 0x1_0000n;

/** Whether the range is small enough to be looked at. */
export const isShort = ({ bytes }: Asked): boolean => bytes / PAGE_SIZE <= LOOKED_AT;

/** The pages of a short range. */
export const pagesIn = ({ start, bytes }: Asked): readonly Pfn[] =>
  Array.from({ length: Number(bytes / PAGE_SIZE) }, (_, n) => pfn(Number(start / PAGE_SIZE) + n));

/** Whether every page of the range is so. */
export const everyPage = (
  hyp: Hyp,
  asked: Asked,
  isSo: (state: PageState, page: Pfn) => boolean,
): boolean => pagesIn(asked).every((page) => isSo(pageAt(hyp, page), page));

/** Whether a range ends in the region in which it starts: below memory, in it, or above it. */
export function inOneRegion(asked: Asked): boolean {
  const end = u64(asked.start + asked.bytes);
  const [memory, above] = [0x4000_0000n, 0x8000_0000n];
  if (asked.start < memory) return end <= memory;
  return asked.start >= above || end <= above;
}

export const startsInMemory = ({ start }: Asked): boolean =>
  start >> PAGE_SHIFT < 1n << 40n && isMemory(pfn(Number(start >> PAGE_SHIFT)));

/** Whether a step asks for one of these, about a range that is so. */
export const asks =
  (kinds: readonly Transfer[], isSo: (asked: Asked, step: TransferStep) => boolean) =>
  (step: TransferStep): boolean => {
    const asked = askedBy(step);
    return asked !== undefined && kinds.includes(asked.what) && isSo(asked, step);
  };

/** The same where the table can be asked and the range looked at. */
export const walks = (kind: Transfer, isSo: (asked: Asked, step: TransferStep) => boolean) =>
  asks([kind], (asked, step) => isWalked(asked) && isShort(asked) && isSo(asked, step));

/**
 * Whether nothing that EL2 has in its linear map stands in the way of a share or a donation: a
 * debug build looks for anything, a production build trips over other permissions.
 */
export const isFreeAtHyp =
  ({ pre }: TransferStep) =>
  ({ hyp, hypProt }: PageState): boolean =>
    pre.config.build === "el2debug" ? hyp === "NOPAGE" : hypProt === undefined;

export const isPlain = (state: PageState): boolean => state.host === "OWNED";
export const isShared = (state: PageState): boolean => state.host === "SHARED_OWNED";
export const isBorrowed = (state: PageState): boolean =>
  isShared(state) && state.hyp === "SHARED_BORROWED";
export const isPinned = ({ refcount }: PageState): boolean => refcount > 0;

/** The answer is 0, every page of the range is as said, and no other page or part changed. */
export function moves(
  step: TransferStep,
  become: (before: PageState, page: Pfn) => PageState,
): Verdict {
  const asked = askedBy(step);
  if (asked === undefined) return "it asks for nothing";
  const range = new Set(pagesIn(asked));
  const others = [...step.pre.pages.keys(), ...step.post.pages.keys()];
  return all(
    answers(step.outcome, 0),
    ensure(
      [...range].every((page) =>
        equal(pageAt(step.post, page), become(pageAt(step.pre, page), page)),
      ),
      "a page of the range is not what it becomes",
    ),
    ensure(
      others.every(
        (page) => range.has(page) || equal(pageAt(step.pre, page), pageAt(step.post, page)),
      ),
      "a page beside the range changed",
    ),
    changesOnly(step, "pages"),
  );
}
