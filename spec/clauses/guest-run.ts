// A vCPU enters and leaves: who may run, what reaches it of the host, what the host sees of it.

import { branchOf, vmsOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { PSCI, SMCCC } from "../guest-calls.ts";
import { pageAt } from "../machine.ts";
import { cite, type Source } from "../sources.ts";
import type { Hvc } from "../types/action.ts";
import type { GuestAbort } from "../types/guest-action.ts";
import type { GuestEntry } from "../types/outcome.ts";
import { IFLAG, VCPU } from "../vm-layout.ts";
import { caller, callerAfter, type Running, runningOn } from "./guest-view.ts";
import { argument, reachedHcall } from "./hypercall.ts";
import { all, changesNothing, changesOnly, ensure, equal, refuses, spell } from "./phrases.ts";

const hypMain = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/hyp-main.c`);

/** Mainline's call of the same name takes its vCPU from the host: see kvm-hypercalls.ts. */
const runs = (step: Step<Hvc>): boolean =>
  branchOf(step.pre.config).vms !== undefined && reachedHcall(step) === "__kvm_vcpu_run";
/** Whether EL2 keeps the registers of protected guests. */
const keeps = ({ pre }: Pick<Step, "pre">): boolean => vmsOf(pre.config).keepsRegisters;
const loaded = ({ pre, action }: Step<Hvc>): Running | undefined => runningOn(pre, action.cpu);
const after = ({ post, action }: Step<Hvc>): Running | undefined => runningOn(post, action.cpu);

/** Kernel address 0xffffff8000000000 is physical 0x40000000. Source: measured, machines. */
const LINEAR = 0xffff_ff80_0000_0000n - 0x4000_0000n;
const isLoaded = (step: Step<Hvc>): boolean =>
  (!keeps(step) && loaded(step) !== undefined) ||
  loaded(step)?.vcpu.hostVcpu === BigInt.asUintN(64, argument(step, 1) - LINEAR);

/** Whether the vCPU enters at EL1. */
const enters = (step: Step<Hvc>): boolean =>
  runs(step) && isLoaded(step) && loaded(step)?.vcpu.power !== "OFF";

/** A word of the host's struct kvm_vcpu. */
const word = (step: Step<Hvc>, offset: bigint): bigint =>
  step.action.words?.get((loaded(step)?.vcpu.hostVcpu ?? 0n) + offset) ?? 0n;
const hostX = (step: Step<Hvc>, n: number): bigint => word(step, VCPU.regs + BigInt(8 * n));

const entry = ({ outcome }: Step<Hvc>): GuestEntry | undefined =>
  outcome.kind === "runs" ? outcome.entry : undefined;

const entersAs = (step: Step<Hvc>, wanted: GuestEntry): true | string =>
  ensure(
    equal(entry(step), wanted),
    `the guest ${wanted.kind} is not what happens: ${spell(step.outcome)}`,
  );

const isKept = (step: Step<Hvc>): boolean => keeps(step) && loaded(step)?.vm.isProtected === true;

const isStarting = (step: Step<Hvc>): boolean =>
  enters(step) && isKept(step) && loaded(step)?.vcpu.power !== "ON";
const isPrimary = (step: Step<Hvc>): boolean => {
  const { vm, index } = loaded(step) ?? {};
  return vm !== undefined && vm.primaryVcpu === index;
};
const comesBack = (step: Step<Hvc>): boolean =>
  enters(step) && isKept(step) && loaded(step)?.vcpu.power === "ON";
const exit = (step: Step<Hvc>) => loaded(step)?.vcpu.exit;

/** Calls that EL2 has done before the host is told: what the host says does not matter. */
const DONE: readonly number[] = [SMCCC.MEM_SHARE, SMCCC.MEM_UNSHARE, SMCCC.MEM_RELINQUISH];
const TURN_ON: readonly number[] = [PSCI.CPU_ON, PSCI.CPU_ON64];

/** Bits of ESR_EL2 for a data abort. Source: DDI0487 D24.2.40 ESR_EL2. */
const ISV = 1n << 24n;
const WRITES = 1n << 6n;
const REGISTER = 0x1fn << 16n;
const isData = ({ action }: Step<GuestAbort>): boolean => action.esr >> 26n === 0x24n;
const isOfProtected = (step: Step<GuestAbort>): boolean => caller(step)?.vm.isProtected === true;
const isHidden = (step: Step<GuestAbort>): boolean => isOfProtected(step) && keeps(step);

/** Whether the guest lets the host see the access: it told of the page, or has no guard. */
function isDevice(step: Step<GuestAbort>): boolean {
  const { vm } = caller(step) ?? {};
  const { esr, far, ipa } = step.action;
  if (vm === undefined || !isData(step) || (esr & ISV) === 0n) return false;
  if (!vm.mmioGuard) return true;
  const first = ipa + (far % 4096n);
  const last = first + (1n << ((esr >> 22n) & 3n)) - 1n;
  return vm.stage2.guarded.has(Number(first >> 12n)) && vm.stage2.guarded.has(Number(last >> 12n));
}

export const GUEST_RUN: readonly StepClause[] = [
  clause({
    id: "GUEST-10",
    kind: "kernel",
    statement: "A CPU that has no vCPU loaded runs none.",
    source: [hypMain("handle___kvm_vcpu_run")],
    on: ["hvc"],
    applies: (step) => runs(step) && loaded(step) === undefined,
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-11",
    kind: "kernel",
    statement: "A CPU runs the vCPU that it has loaded and no other.",
    source: [hypMain("handle___kvm_vcpu_run")],
    on: ["hvc"],
    applies: (step) => runs(step) && loaded(step) !== undefined && !isLoaded(step),
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-12",
    kind: "kernel",
    statement: "A vCPU that is off does not run.",
    source: [hypMain("flush_hyp_vcpu: power_state")],
    on: ["hvc"],
    applies: (step) => runs(step) && isLoaded(step) && loaded(step)?.vcpu.power === "OFF",
    holds: (step) => refuses(step, "EINVAL"),
  }),
  clause({
    id: "GUEST-60",
    kind: "kernel",
    statement: "The first vCPU of a VM with firmware starts there once, with the guard on.",
    source: [
      cite("android14-6.1", "pkvm_reset_vcpu, hyp/nvhe/pkvm.c"),
      cite("measured", "fw-modok-iommufin: a store outside the guard's list aborts at once"),
    ],
    on: ["hvc"],
    applies: (step) => isStarting(step) && isPrimary(step),
    holds: (step) =>
      all(
        entersAs(step, {
          kind: "starts",
          pc: loaded(step)?.vm.pvmfwLoadAddr ?? 0n,
          x: Array.from({ length: 15 }, (_, n) => hostX(step, n)),
        }),
        ensure(after(step)?.vm.primaryVcpu === "entered", "it can start there again"),
        ensure(after(step)?.vm.mmioGuard === true, "the guard is off"),
        ensure(after(step)?.vcpu.power === "ON", "it is not on"),
        changesOnly(step, "vmTable"),
      ),
  }),
  clause({
    id: "GUEST-61",
    kind: "kernel",
    statement: "Any other vCPU starts where it was told, with one register and no more.",
    source: [
      cite("android14-6.1", "pkvm_reset_vcpu, kvm_reset_vcpu_psci"),
      cite("measured", "pvm-peek: entry at the pc that user space set"),
    ],
    on: ["hvc"],
    applies: (step) => isStarting(step) && !isPrimary(step),
    holds: (step) => {
      const { pc, x0 } = loaded(step)?.vcpu.reset ?? { pc: 0n, x0: 0n };
      return all(
        entersAs(step, { kind: "starts", pc, x: [x0] }),
        ensure(after(step)?.vcpu.power === "ON", "it is not on"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-62",
    kind: "kernel",
    statement: "After a call that EL2 has done the guest finds SUCCESS, whatever the host says.",
    source: [hypMain("handle_pvm_entry_hvc64"), cite("measured", "pvm-share, pvm-relinq: x0 = 0")],
    on: ["hvc"],
    applies: (step) => {
      const left = comesBack(step) ? exit(step) : undefined;
      return left?.kind === "hvc" && DONE.includes(left.id);
    },
    holds: (step) => entersAs(step, { kind: "answered", x0: 0n }),
  }),
  clause({
    id: "GUEST-63",
    kind: "kernel",
    statement: "After a call that the host does the guest finds its answer in x0, nowhere else.",
    source: [hypMain("handle_pvm_entry_psci")],
    on: ["hvc"],
    applies: (step) => {
      const left = comesBack(step) ? exit(step) : undefined;
      if (left?.kind !== "hvc" || left.id === SMCCC.MMIO_GUARD_MAP) return false;
      return !DONE.includes(left.id) && !TURN_ON.includes(left.id);
    },
    holds: (step) => entersAs(step, { kind: "answered", x0: hostX(step, 0) }),
  }),
  clause({
    id: "GUEST-64",
    kind: "kernel",
    statement: "After an abort the host lets the guest go on, past its access, or takes it away.",
    source: [
      hypMain("handle_pvm_entry_dabt, handle_pvm_entry_iabt"),
      cite("measured", "pvm-nolegacy: 0x5a5a5a5a5a5a5a5a is loaded; ESR_EL1 0x96000010"),
    ],
    on: ["hvc"],
    applies: (step) => {
      const kind = comesBack(step) ? exit(step)?.kind : undefined;
      return kind === "data abort" || kind === "instruction abort";
    },
    holds: (step) => {
      const left = exit(step);
      if (left?.kind !== "data abort" && left?.kind !== "instruction abort") return true;
      const flags = word(step, VCPU.iflags);
      const isInstruction = left.kind === "instruction abort";
      if ((flags & IFLAG.pendingAbort) !== 0n) {
        const ec = isInstruction ? "instruction" : "data";
        return entersAs(step, { kind: "aborts", ec, far: left.far });
      }
      if (isInstruction || (flags & IFLAG.incrementPc) === 0n) {
        return entersAs(step, { kind: "continues" });
      }
      const register = left.mmio ? left.loads : undefined;
      const loads = register === undefined ? undefined : { register, value: hostX(step, 0) };
      return entersAs(step, { kind: "accessed", loads });
    },
  }),
  clause({
    id: "GUEST-65",
    kind: "kernel",
    statement: "A guest whose registers EL2 does not keep has those that the host gives it.",
    source: [hypMain("flush_hyp_vcpu"), cite("measured", "npvm")],
    on: ["hvc"],
    applies: (step) => enters(step) && !isKept(step),
    holds: (step) => all(entersAs(step, { kind: "from the host" }), changesNothing(step)),
  }),
  clause({
    id: "GUEST-66",
    kind: "kernel",
    statement: "A CPU_ON that the host refuses leaves its vCPU off, unless that runs already.",
    source: [hypMain("handle_pvm_entry_psci")],
    on: ["hvc"],
    applies: (step) => {
      const left = comesBack(step) ? exit(step) : undefined;
      return left?.kind === "hvc" && TURN_ON.includes(left.id);
    },
    holds: (step) => {
      const pending = (one: Running | undefined): number =>
        one?.vm.vcpus.filter(({ power }) => power === "ON_PENDING").length ?? 0;
      const lost = pending(loaded(step)) - pending(after(step));
      const answered = entry(step);
      const x0 = answered?.kind === "answered" ? answered.x0 : undefined;
      return hostX(step, 0) === 0n
        ? ensure(x0 === 0n && lost === 0, "a CPU_ON that the host did is undone")
        : ensure(
            (x0 === BigInt.asUintN(64, -6n) && lost === 1) || (x0 === 0n && lost === 0),
            "a CPU_ON that the host refused stays",
          );
    },
  }),
  clause({
    id: "GUEST-70",
    kind: "kernel",
    statement: "Of an access to a device the host sees the value, in x0, and not which register.",
    source: [
      hypMain("handle_pvm_exit_dabt"),
      cite("measured", "pvm-peek: before ENROLL every access is the host's"),
    ],
    on: ["guest_abort"],
    applies: (step) => isHidden(step) && isDevice(step),
    holds: (step) => {
      const { outcome, action } = step;
      if (outcome.kind !== "exits") return `the guest does not leave: ${spell(outcome)}`;
      const value = (action.esr & WRITES) !== 0n ? action.stored : 0n;
      return all(
        ensure(equal(outcome.x, [value]), "the host does not see the value alone"),
        ensure(outcome.esr === (action.esr & ~REGISTER), "the host sees the register"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-71",
    kind: "kernel",
    statement: "Of any other access the host sees that it was, and nothing to emulate it with.",
    source: [
      hypMain("handle_pvm_exit_dabt, handle_pvm_exit_iabt"),
      cite("measured", "pvm-peek: outside the guard's list the guest gets an abort"),
    ],
    on: ["guest_abort"],
    applies: (step) => isHidden(step) && !isDevice(step),
    holds: (step) => {
      const { outcome, action } = step;
      if (outcome.kind !== "exits") return `the guest does not leave: ${spell(outcome)}`;
      return all(
        ensure(outcome.x?.length === 0, "the host sees registers"),
        ensure(!isData(step) || (outcome.esr & ISV) === 0n, "the host could emulate the access"),
        ensure(outcome.esr >> 26n === action.esr >> 26n, "it is another kind of abort"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-72",
    kind: "kernel",
    statement:
      "Of a protected guest's addresses the host sees the page it meant, and the place in it.",
    source: [hypMain("handle_pvm_exit_dabt: FAR_EL2 is cut")],
    on: ["guest_abort"],
    applies: isHidden,
    holds: ({ outcome, action }) =>
      ensure(
        outcome.kind === "exits" && outcome.ipa === action.ipa && outcome.far < 4096n,
        `the host sees more: ${spell(outcome)}`,
      ),
  }),
  clause({
    id: "GUEST-73",
    kind: "kernel",
    statement: "The abort of a guest whose registers EL2 does not keep is the host's as it is.",
    source: [cite("android14-6.1", "sync_hyp_vcpu, hyp/nvhe/hyp-main.c"), cite("measured", "npvm")],
    on: ["guest_abort"],
    applies: (step) => caller(step) !== undefined && !isHidden(step),
    holds: (step) => {
      const { esr, far, ipa } = step.action;
      const wanted = { kind: "exits", x: undefined, esr, far, ipa, again: false };
      return all(
        ensure(equal(step.outcome, wanted), `the host sees less: ${spell(step.outcome)}`),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "GUEST-74",
    kind: "kernel",
    statement:
      "A page that a guest shows the host as shared is the host's to read, its own are not.",
    source: [
      cite("android14-6.1", "__pkvm_guest_share_host, hyp/nvhe/mem_protect.c"),
      cite("measured", "pvm-zero: 0x77 stays in a shared page; pvm-peek: SIGSEGV for its own"),
    ],
    on: ["guest_hvc", "guest_abort"],
    applies: (step) => isOfProtected(step as Step<GuestAbort>),
    holds: (step) => {
      const pages = [...(callerAfter(step as Step<GuestAbort>)?.vm.stage2.pages.values() ?? [])];
      const wrong = pages.find(
        ({ pfn, state }) =>
          pageAt(step.post, pfn).host !== (state === "OWNED" ? "NOPAGE" : "SHARED_BORROWED"),
      );
      return ensure(wrong === undefined, `page 0x${wrong?.pfn.toString(16)} is not as it was said`);
    },
  }),
  clause({
    id: "GUEST-75",
    kind: "kernel",
    statement: "A guest that does not leave keeps its KVM_RUN, and changes nothing.",
    source: [cite("android14-6.1", "kvm_arch_vcpu_ioctl_run, kvm_vcpu_wfi, arch/arm64/kvm/arm.c")],
    on: ["guest_budget_spent"],
    applies: () => true,
    holds: (step) =>
      all(
        ensure(step.outcome.kind === "hang", `it comes back: ${spell(step.outcome)}`),
        changesOnly(step, "end"),
      ),
  }),
];
