// The table that android16-6.12 holds itself against at boot (pkvm_ownership_selftest), row by row:
// against the ownership of one page, and against the model where it has the function.

import { describe, expect, test } from "vitest";
import { initialHyp } from "../../model/initial.ts";
import {
  HOSTS,
  moveOnePage,
  type OnePage,
  type OwnershipCall,
} from "../../model/ownership/one-page.ts";
import { step } from "../../model/step.ts";
import { BRANCHES, hcallNumber, hostSmcccId } from "../../spec/branches/branches.ts";
import type { Action } from "../../spec/types/action.ts";
import { pfn } from "../../spec/types/address.ts";
import { ERRNO, type Errno } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE } from "../../spec/types/page.ts";

/** What a call answers, and the state that it leaves: Y, H, HS, HSp, F, N1, N2, G. */
type Row = readonly [call: OwnershipCall, gfn: number, answers: 0 | Errno, leaves: string];

const refused = (state: string, errno: Errno, ...calls: readonly OwnershipCall[]): Row[] =>
  calls.map((call) => [call, 0, errno, state]);

/**
 * In the order of the kernel's test. Source: pkvm_ownership_selftest, hyp/nvhe/mem_protect.c
 * (android16-6.12, CONFIG_PKVM_SELFTESTS).
 */
const ROWS: readonly Row[] = [
  // The hypervisor's: nothing that the host asks for is granted.
  ...refused(
    "Y",
    "EPERM",
    "host_donate_hyp",
    "host_share_hyp",
    "host_unshare_hyp",
    "host_share_ffa",
    "host_unshare_ffa",
    "hyp_pin_shared_mem",
    "host_share_guest",
    "host_donate_guest",
  ),
  ["host_unshare_guest", 0, "ENOENT", "Y"],
  ["hyp_donate_host", 0, 0, "H"],
  ["hyp_donate_host", 0, "EPERM", "H"],
  // Shared with the hypervisor.
  ["host_share_hyp", 0, 0, "HS"],
  ...refused(
    "HS",
    "EPERM",
    "host_share_hyp",
    "host_donate_hyp",
    "host_share_ffa",
    "hyp_donate_host",
    "host_share_guest",
    "host_donate_guest",
  ),
  // Pinned twice, unpinned once: still pinned.
  ["hyp_pin_shared_mem", 0, 0, "HSp"],
  ["hyp_pin_shared_mem", 0, 0, "HSpp"],
  ["hyp_unpin_shared_mem", 0, 0, "HSp"],
  ["host_unshare_hyp", 0, "EBUSY", "HSp"],
  ["hyp_unpin_shared_mem", 0, 0, "HS"],
  ["host_unshare_hyp", 0, 0, "H"],
  // Shared with the secure world.
  ["host_share_ffa", 0, 0, "F"],
  ...refused(
    "F",
    "EPERM",
    "host_share_ffa",
    "host_donate_hyp",
    "host_share_hyp",
    "host_unshare_hyp",
    "hyp_donate_host",
    "hyp_pin_shared_mem",
    "host_share_guest",
    "host_donate_guest",
  ),
  ["host_unshare_ffa", 0, 0, "H"],
  ["host_unshare_ffa", 0, "EPERM", "H"],
  // Lent to a guest, at two of its addresses.
  ["host_share_guest", 0, 0, "N1"],
  ["host_share_guest", 0, "EPERM", "N1"],
  ["host_share_guest", 1, 0, "N2"],
  ["host_unshare_guest", 0, 0, "N1"],
  ["host_unshare_guest", 1, 0, "H"],
  // Given to a guest, which gives it back.
  ["host_donate_guest", 0, 0, "G"],
  ...refused(
    "G",
    "EPERM",
    "host_donate_guest",
    "host_share_guest",
    "host_donate_hyp",
    "host_share_hyp",
    "host_unshare_hyp",
    "host_share_ffa",
    "host_unshare_ffa",
    "hyp_donate_host",
    "hyp_pin_shared_mem",
  ),
  ["guest_relinquish_to_host", 0, 0, "H"],
  ["host_donate_hyp", 0, 0, "Y"],
];

/** The state of a page in the letters of the table. */
function letters({ state: { host, owner, hyp, refcount }, gfns }: OnePage): string {
  if (hyp === "OWNED") return host === "NOPAGE" && owner === "HYP" ? "Y" : "?";
  if (host === "OWNED") return "H";
  if (hyp === "SHARED_BORROWED") return `HS${"p".repeat(refcount)}`;
  if (host === "NOPAGE") return owner === "GUEST" && gfns.length === 1 ? "G" : "?";
  return gfns.length === 0 ? "F" : `N${gfns.length}`;
}

/** The page before each row, from the hypervisor's own on. */
const BEFORE: OnePage[] = [{ state: HYP_PAGE, gfns: [] }];
for (const [call, gfn] of ROWS.slice(0, -1)) {
  const page = BEFORE.at(-1) ?? HOSTS;
  const moved = moveOnePage(page, call, gfn);
  BEFORE.push(typeof moved === "string" ? page : moved);
}

describe("one page", () => {
  test.each(ROWS.map((row, at) => [at + 1, ...row] as const))(
    "%i: %s at %i answers %s, and it is %s",
    (at, call, gfn, answers, leaves) => {
      const before = BEFORE[at - 1] ?? HOSTS;
      const moved = moveOnePage(before, call, gfn);
      expect(typeof moved === "string" ? moved : 0).toBe(answers);
      expect(letters(typeof moved === "string" ? before : moved)).toBe(leaves);
    },
  );
});

const BRANCH = BRANCHES["android16-6.12"];
const PAGE = 0x5_0000n;
/** EL2's address of the page. Source: measured, machines. */
const VA = (PAGE << 12n) + 0x40_0000_0000n - 0x4000_0000n;

const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});
function hvc(name: string): Action {
  const given = [hostSmcccId(hcallNumber(BRANCH, name) ?? 0), PAGE];
  const x = Array.from({ length: 18 }, (_, n) => given[n] ?? 0n);
  return { kind: "hvc", cpu: 0, imm: 0, x };
}

/** How the model is asked for a function; FF-A and guests are not asked for on this branch. */
const ASKED: Readonly<Partial<Record<OwnershipCall, Action>>> = {
  host_donate_hyp: op("host_donate_hyp", PAGE, 1n, 0n),
  hyp_donate_host: op("hyp_donate_host", PAGE, 1n),
  host_share_hyp: hvc("__pkvm_host_share_hyp"),
  host_unshare_hyp: hvc("__pkvm_host_unshare_hyp"),
  hyp_pin_shared_mem: op("pin_shared_mem", VA, VA + 1n),
  hyp_unpin_shared_mem: op("unpin_shared_mem", VA, VA + 1n),
};

/** A system of 6.12 in which the page is so. */
function having({ state }: OnePage): Hyp {
  const config = { branch: BRANCH.name, build: "production", documented: false } as const;
  const hyp = initialHyp({ ...config, cpuCount: 1 }, 0);
  const up = { ...hyp.boot, mode: "protected", hypUp: true } as const;
  return { ...hyp, boot: up, pages: new Map([[pfn(Number(PAGE)), state]]) };
}

describe("the model of android16-6.12", () => {
  const asked = ROWS.flatMap((row, at) => {
    const action = ASKED[row[0]];
    return action === undefined ? [] : [[at + 1, row[0], row[2], action] as const];
  });
  test("is asked for more than half of the rows", () => {
    expect(asked.length).toBeGreaterThan(ROWS.length / 2);
  });
  test.each(asked)("%i: %s answers %s", (at, call, answers, action) => {
    const before = BEFORE[at - 1] ?? HOSTS;
    const { outcome, post } = step(having(before), action);
    const value = outcome.kind === "returned" ? outcome.value : undefined;
    const x1 = outcome.kind === "hcall" ? outcome.x1 : value;
    // Unpinning has no result.
    if (call !== "hyp_unpin_shared_mem") {
      expect(x1).toBe(BigInt.asUintN(64, answers === 0 ? 0n : -BigInt(ERRNO[answers])));
    }
    const moved = moveOnePage(before, call, 0);
    const expected = typeof moved === "string" ? before : moved;
    expect(post.pages.get(pfn(Number(PAGE))) ?? HOSTS.state).toEqual(expected.state);
  });
});
