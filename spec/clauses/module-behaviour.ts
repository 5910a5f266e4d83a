// What a module must keep at EL2 beyond not stopping the machine: memory, ops, registers, mappings.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { isCarveOut, isMemory, pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import { hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn } from "../types/address.ts";
import { errnoName } from "../types/errno.ts";
import type { Hyp } from "../types/hyp.ts";
import { PROT } from "../types/module.ts";
import { SMCCC_RET_SUCCESS } from "../types/outcome.ts";
import { lies, reservationOf } from "./module-memory.ts";
import { ensure, equal, succeeded } from "./phrases.ts";

const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** The module whose section a page is. */
const moduleOf = ({ modules }: Hyp, page: Pfn): string | undefined =>
  [...modules.values()].find(({ sections }) => sections.some(({ pfns }) => pfns.includes(page)))
    ?.name;

/** The module whose code lies at an EL2 address. */
function moduleAt(hyp: Hyp, va: bigint): string | undefined {
  const mapping = hyp.el2.mappings.get(hypVa(va - (va % PAGE_SIZE)));
  return mapping === undefined ? undefined : moduleOf(hyp, mapping.pfn);
}

/** Why code of a module may not touch a page; nothing where it may. */
function notItsOwn(hyp: Hyp, from: bigint, page: Pfn): string | undefined {
  const { host, owner, hyp: el2, refcount } = pageAt(hyp, page);
  if (el2 === "SHARED_BORROWED") {
    return refcount > 0 ? undefined : "which the host shares and nobody has pinned";
  }
  if (el2 !== "OWNED") {
    return owner === "HOST" ? `which the host has as ${host}` : `which is ${owner}'s`;
  }
  if (isCarveOut(hyp, page)) return "which is the hypervisor's own";
  const whose = moduleOf(hyp, page);
  const mine = whose === undefined || whose === moduleAt(hyp, from);
  return mine ? undefined : `which is module ${whose}'s`;
}

/** Registered functions of a module, by name of what registers them. */
function registeredIn(hyp: Hyp, name: string): readonly string[] {
  const reservation = reservationOf(hyp, hyp.modules.get(name))?.reservation;
  if (reservation === undefined) return [];
  const { callbacks, dynamicHcalls } = hyp.dispatch;
  const kinds = Object.entries(callbacks).filter(([, address]) => lies(address, reservation));
  const hcalls = dynamicHcalls.filter((address) => lies(address, reservation));
  return [...kinds.map(([kind]) => kind), ...hcalls.map((address) => `hypercall ${hex(address)}`)];
}

/** The module that is being loaded at EL2. */
const loading = ({ modules }: Hyp): string | undefined =>
  [...modules.values()].find(({ el2 }) => el2 === "reserved" || el2 === "mapped")?.name;

/** Pages that an op has mapped at EL2. */
const mappedBy = (pre: Hyp, post: Hyp) =>
  [...post.el2.mappings].filter(([va]) => !pre.el2.mappings.has(va)).map(([, mapping]) => mapping);

/** What was varied, in words. */
const whose = (owner: string | undefined): string => owner ?? "all that is not the host's";

/** Whether an answer is an errno as C has it: an int or a long from -4095 to -1. */
const isErrno = (answer: bigint | undefined): boolean =>
  answer !== undefined && answer !== 0n && BigInt.asUintN(64, -answer) <= 4095n;

const NAMES = { pins: "pin", pages: "page", addresses: "address" } as const;

/** What was taken, in words. */
const counted = (what: keyof typeof NAMES, count: number): string =>
  count === 1 ? `1 ${NAMES[what]}` : `${count} ${what}`;

const conflict = (a: number, b: number): boolean =>
  ((a & PROT.W) !== 0 && (b & PROT.X) !== 0) || ((a & PROT.X) !== 0 && (b & PROT.W) !== 0);

export const MODULE_BEHAVIOUR: readonly StepClause[] = [
  clause({
    id: "MOD-4",
    kind: "kernel",
    statement: "A handler leaves SMCCC_RET_SUCCESS in the host's x0, or its caller warns.",
    source: [
      cite("android14-6.1", "handle_host_dynamic_hcall: x0 is SUCCESS before the handler"),
      cite("android14-6.1", "pkvm_el2_mod_call: WARN_ON(res.a0 != SMCCC_RET_SUCCESS)"),
    ],
    on: ["handler_returned"],
    applies: () => true,
    holds: ({ action }) =>
      ensure(
        action.x[0] === SMCCC_RET_SUCCESS,
        `the handler comes back with ${hex(action.x[0] ?? 0n)} in x0`,
      ),
  }),
  clause({
    id: "MOD-5",
    kind: "kernel",
    statement: "Code of a module touches only memory that is the module's or that is pinned.",
    source: [
      cite("android14-6.1", "hyp_pin_shared_mem: what is not pinned can be unshared at any time"),
      cite("android14-6.1", "__pkvm_host_unshare_hyp: the linear map of the page goes away"),
    ],
    on: ["el2_access"],
    // Until the key is set the host is trusted, and what a module maps early it may touch.
    applies: ({ pre, action }) =>
      isMemory(action.pfn) &&
      action.slot === undefined &&
      (pre.boot.key || isCarveOut(pre, action.pfn)),
    holds: ({ pre, action }) => {
      const why = notItsOwn(pre, action.from, action.pfn);
      const does = action.store ? "writes" : "reads";
      return ensure(why === undefined, `EL2 ${does} pfn ${hex(action.pfn)}, ${why}`);
    },
  }),
  clause({
    id: "MOD-6",
    kind: "kernel",
    statement:
      "Code of a module reads only the slots of struct pkvm_module_ops that its branch has.",
    source: [cite("android14-6.1", "struct pkvm_module_ops: no size, no version, module_ops")],
    on: ["el2_access"],
    applies: ({ action }) => action.slot !== undefined && !action.store,
    holds: ({ pre, action }) => {
      const { ops, nullOps, name } = branchOf(pre.config);
      const op = ops.find(({ slot }) => slot === action.slot)?.op;
      return ensure(
        op !== undefined && !nullOps.includes(op),
        `slot ${action.slot} of the ops holds nothing on ${name}, which has ${ops.length}`,
      );
    },
  }),
  clause({
    id: "MOD-7",
    kind: "kernel",
    statement: "A handler leaves the fixmap of its CPU empty.",
    source: [
      cite("android14-6.1", "hyp_fixmap_map: one slot a CPU, rewritten without invalidation"),
      cite("android14-6.1", "hyp_fixmap_unmap: the only place that invalidates it"),
    ],
    on: ["handler_returned"],
    applies: () => true,
    holds: ({ action }) =>
      ensure(action.fixmap === undefined, `the fixmap still maps ${hex(action.fixmap ?? 0n)}`),
  }),
  clause({
    id: "MOD-8",
    kind: "kernel",
    statement: "An EL2 init that fails has registered nothing.",
    source: [cite("android14-6.1", "hyp/nvhe/modules.c: no registration is ever undone")],
    on: ["el2_init_returned"],
    applies: ({ action }) => BigInt.asIntN(32, action.value) !== 0n,
    holds: ({ pre }) => {
      const name = loading(pre);
      const left = name === undefined ? [] : registeredIn(pre, name);
      return ensure(left.length === 0, `the init of ${name} fails and leaves ${left.join(", ")}`);
    },
  }),
  clause({
    id: "MOD-9",
    kind: "kernel",
    statement: "The EL1 init of a module whose EL2 half is loaded succeeds.",
    source: [
      cite("linux", "do_init_module, kernel/module/main.c: a failed init frees the module"),
      cite("android14-6.1", "__pkvm_load_el2_module: nothing unloads an EL2 half"),
    ],
    on: ["module_init_returned"],
    applies: ({ pre, action }) => pre.modules.get(action.name)?.el2 === "initialised",
    holds: ({ action }) =>
      ensure(
        action.value >= 0,
        `the init of ${action.name} returns ${errnoName(action.value)} over a loaded EL2 half`,
      ),
  }),
  clause({
    id: "MOD-10",
    kind: "kernel",
    statement: "The EL1 init of a module succeeds only with its EL2 half loaded.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: -EOPNOTSUPP once the host is deprivileged"),
      cite("android14-6.1", "pkvm_load_early_modules: only a failed modprobe stops the list"),
    ],
    on: ["module_init_returned"],
    applies: ({ pre, action }) =>
      (pre.modules.get(action.name)?.sections ?? []).some(({ pfns }) => pfns.length > 0) &&
      action.value >= 0,
    holds: ({ pre, action }) => {
      const el2 = pre.modules.get(action.name)?.el2;
      return ensure(
        el2 === "initialised",
        `the init of ${action.name} succeeds and its EL2 half is ${el2}`,
      );
    },
  }),
  clause({
    id: "MOD-11",
    kind: "kernel",
    statement: "A module makes no second mapping that lets it write what EL2 executes.",
    source: [cite("android14-6.1", "__pkvm_create_private_mapping: pages are not compared")],
    on: ["op"],
    applies: ({ action, outcome }) => action.op === "create_private_mapping" && succeeded(outcome),
    holds: ({ pre, post }) => {
      const twice = mappedBy(pre, post).find(({ pfn, prot }) =>
        [...pre.el2.mappings.values()].some(
          (other) => other.pfn === pfn && conflict(other.prot, prot),
        ),
      );
      const page = BigInt(twice?.pfn ?? 0) << PAGE_SHIFT;
      return ensure(twice === undefined, `${hex(page)} is mapped writable and executable`);
    },
  }),
  clause({
    id: "MOD-12",
    kind: "kernel",
    statement: "A call that is repeated and answers the same does not take more each time.",
    source: [
      cite("android14-6.1", "hyp_page_ref_inc: the pins of a page are counted in 16 bits"),
      cite("android14-6.1", "__pkvm_alloc_private_va_range: addresses are never given back"),
    ],
    on: ["call_repeated"],
    applies: () => true,
    holds: ({ action: { first, second } }) => {
      const more = (["pins", "pages", "addresses"] as const).filter(
        (what) => first[what] > 0 && second[what] > 0,
      );
      const told = more.map((what) => counted(what, second[what])).join(" and ");
      return ensure(more.length === 0, `each time the call takes ${told} more`);
    },
  }),
  clause({
    id: "MOD-13",
    kind: "kernel",
    statement: "No byte of another owner and no key leaves in a register.",
    source: [
      cite("android14-6.1", "__host_exit, hyp/nvhe/host.S: the host gets its registers back"),
      cite("android14-6.1", "handle_host_dynamic_hcall: whatever the handler left in them"),
    ],
    on: ["secrets_varied"],
    applies: () => true,
    holds: ({ action: { registers, returns, owner } }) => {
      const [first] = registers;
      if (!returns) return `with other contents of ${whose(owner)} it does not come back`;
      return ensure(
        first === undefined,
        `x${first?.register} is ${hex(first?.value ?? 0n)}, and ${hex(first?.other ?? 0n)} ` +
          `with other contents of ${whose(owner)}`,
      );
    },
  }),
  clause({
    id: "MOD-14",
    kind: "kernel",
    statement: "No byte of another owner and no key leaves in memory that the host reads.",
    source: [cite("android14-6.1", "__pkvm_host_share_hyp: a shared page stays the host's")],
    on: ["secrets_varied"],
    applies: () => true,
    holds: ({ action: { words, owner } }) => {
      const [first] = words;
      return ensure(
        first === undefined,
        `${hex(first?.address ?? 0n)} holds ${hex(first?.value ?? 0n)}, and ` +
          `${hex(first?.other ?? 0n)} with other contents of ${whose(owner)}`,
      );
    },
  }),
  clause({
    id: "MOD-15",
    kind: "kernel",
    statement:
      "A handler notices an op that fails: it answers otherwise, does something else, or notes it.",
    source: [cite("android14-6.1", "struct pkvm_module_ops: errnos, or NULL")],
    on: ["op_failed"],
    applies: () => true,
    holds: ({ action: { op, errno, answer, otherAnswer, opCount, otherOpCount, noted } }) =>
      ensure(
        noted === true || opCount !== otherOpCount || !equal(answer, otherAnswer),
        `${op} fails with -${errno} and the handler answers and does the same as without`,
      ),
  }),
  clause({
    id: "MOD-16",
    kind: "kernel",
    statement: "Modules have given back every early mapping when the host is deprivileged.",
    source: [
      cite("android14-6.1", "linear_map_early: bytes are counted, hyp/nvhe/modules.c"),
      cite("android14-6.1", "__pkvm_prot_finalize: EL2 stops at a count that is not zero"),
    ],
    on: ["pkvm_drop_host_privileges"],
    applies: ({ pre }) => [...pre.modules.values()].some(({ el2 }) => el2 === "initialised"),
    holds: ({ pre }) =>
      ensure(pre.el2.earlyBytes === 0, `${pre.el2.earlyBytes} bytes are mapped early still`),
  }),
  clause({
    id: "MOD-17",
    kind: "kernel",
    statement: "A handler that answers an errno has kept no page of the host and no pin.",
    source: [
      cite("android14-6.1", "__pkvm_host_donate_hyp: a page goes back by hyp_donate_host alone"),
      cite("android14-6.1", "hyp_unpin_shared_mem: nothing else ends a pin"),
    ],
    on: ["handler_returned"],
    applies: ({ action: { taken, x } }) => taken !== undefined && isErrno(x[1]),
    holds: ({ action: { taken, x } }) => {
      const kept = (["pages", "pins"] as const).filter((what) => (taken?.[what] ?? 0) > 0);
      const told = kept.map((what) => counted(what, taken?.[what] ?? 0)).join(" and ");
      const errno = errnoName(Number(BigInt.asIntN(64, x[1] ?? 0n)));
      return ensure(kept.length === 0, `the handler answers ${errno} and keeps ${told}`);
    },
  }),
  clause({
    id: "MOD-18",
    kind: "kernel",
    statement: "EL1 code of a module calls no hypercall of another module.",
    source: [
      cite("android14-6.1", "__pkvm_register_hcall: numbers are given in the order of the calls"),
    ],
    on: ["hvc"],
    applies: ({ action, outcome }) => action.caller !== undefined && outcome.kind === "enters",
    holds: ({ pre, action, outcome }) => {
      const caller = action.caller?.module ?? "";
      const own = reservationOf(pre, pre.modules.get(caller))?.reservation;
      const at = outcome.kind === "enters" ? outcome.address : 0n;
      const called = moduleAt(pre, at) ?? "nobody";
      return ensure(
        own !== undefined && lies(at, own),
        `${caller} calls hypercall ${hex(action.x[0] ?? 0n)}, which is ${called}'s`,
      );
    },
  }),
];
