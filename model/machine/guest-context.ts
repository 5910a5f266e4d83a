// The registers of a vCPU while it does not run: EL2's copy, in the memory that the host gave, and
// the host's copy, in memory that both share.

import { readBytes, readPhysical, writeBytes, writePhysical } from "../../cpu/memory.ts";
import type { Core } from "../../cpu/state.ts";
import type { SysregName } from "../../cpu/sysregs/names.ts";
import { addressOf } from "../../spec/types/address.ts";
import type { HypVcpu } from "../../spec/types/hyp-vm.ts";
import type { GuestEntry } from "../../spec/types/outcome.ts";
import { IFLAG, VCPU } from "../../spec/vm-layout.ts";
import type { Machine } from "./machine.ts";

/**
 * What EL1 can change of a core and is a vCPU's own. Source: __sysreg_save_el1_state,
 * hyp/include/hyp/sysreg-sr.h (linux 6.1).
 */
export const EL1_STATE = [
  "CSSELR_EL1",
  "SCTLR_EL1",
  "CPACR_EL1",
  "TTBR0_EL1",
  "TTBR1_EL1",
  "TCR_EL1",
  "ESR_EL1",
  "AFSR0_EL1",
  "AFSR1_EL1",
  "FAR_EL1",
  "MAIR_EL1",
  "VBAR_EL1",
  "CONTEXTIDR_EL1",
  "AMAIR_EL1",
  "CNTKCTL_EL1",
  "PAR_EL1",
  "TPIDR_EL1",
  "TPIDR_EL0",
  "TPIDRRO_EL0",
  "ELR_EL1",
  "SPSR_EL1",
  "MDSCR_EL1",
] as const satisfies readonly SysregName[];

/** Words of a vCPU in EL2's memory. CHOICE: their order, from the first byte of the second page. */
const CONTEXT = 4096n;
const GENERAL = 31;
const WORD = { sp0: 31, sp1: 32, pc: 33, pstate: 34, el1: 35 } as const;
const WORDS = WORD.el1 + EL1_STATE.length;

/** A vCPU's registers, to be read and written while it does not run. */
export interface GuestContext {
  readonly words: BigUint64Array;
}

const contextPa = ({ memory }: HypVcpu): bigint => addressOf(memory) + CONTEXT;

/** EL2's copy. */
export function readContext(machine: Machine, vcpu: HypVcpu): GuestContext {
  const bytes = readBytes(machine.memory, contextPa(vcpu), 8 * WORDS)!;
  return { words: new BigUint64Array(bytes.buffer) };
}

export function writeContext(machine: Machine, vcpu: HypVcpu, { words }: GuestContext): void {
  writeBytes(machine.memory, contextPa(vcpu), new Uint8Array(words.buffer.slice(0)));
}

/** x0 to x30; 31 is the zero register. */
export const getX = ({ words }: GuestContext, n: number): bigint =>
  n === GENERAL ? 0n : words[n]!;
export function setX({ words }: GuestContext, n: number, value: bigint): void {
  if (n !== GENERAL) words[n] = BigInt.asUintN(64, value);
}
export const programCounter = ({ words }: GuestContext): bigint => words[WORD.pc]!;

const el1 = (name: (typeof EL1_STATE)[number]): number => WORD.el1 + EL1_STATE.indexOf(name);

/** Puts the registers into a core that is at EL2; ELR and SPSR say how it returns. */
export function loadContext(core: Core, { words }: GuestContext): void {
  core.x.set(words.subarray(0, GENERAL));
  core.sp[0] = words[WORD.sp0]!;
  core.sp[1] = words[WORD.sp1]!;
  EL1_STATE.forEach((name, n) => {
    core.sysreg[name] = words[WORD.el1 + n]!;
  });
  core.sysreg.ELR_EL2 = words[WORD.pc]!;
  core.sysreg.SPSR_EL2 = words[WORD.pstate]!;
}

/** The registers as an exit to EL2 left them. */
export function saveContext(core: Core): GuestContext {
  const words = new BigUint64Array(WORDS);
  words.set(core.x.subarray(0, GENERAL));
  words[WORD.sp0] = core.sp[0]!;
  words[WORD.sp1] = core.sp[1]!;
  EL1_STATE.forEach((name, n) => {
    words[WORD.el1 + n] = core.sysreg[name];
  });
  words[WORD.pc] = core.sysreg.ELR_EL2;
  words[WORD.pstate] = core.sysreg.SPSR_EL2;
  return { words };
}

/** EL1h with D, A, I and F masked. Source: VCPU_RESET_PSTATE_EL1, arch/arm64/kvm/reset.c. */
export const RESET_PSTATE = 0x3c5n;
/** Source: SCTLR_EL1's reset value in sys_regs.c (linux 6.1). */
const RESET_SCTLR = 0x00c5_0078n;

/** A vCPU as a reset leaves it. Source: kvm_reset_vcpu_core, kvm_reset_pvm_sys_regs. */
export function reset(context: GuestContext, pc: bigint, x: readonly bigint[]): void {
  context.words.fill(0n);
  x.forEach((value, n) => {
    setX(context, n, value);
  });
  context.words[WORD.pc] = pc;
  context.words[WORD.pstate] = RESET_PSTATE;
  context.words[el1("SCTLR_EL1")] = RESET_SCTLR;
}

/** The next instruction. Source: kvm_skip_instr, asm/kvm_emulate.h. */
export function skip({ words }: GuestContext): void {
  words[WORD.pc] = BigInt.asUintN(64, words[WORD.pc]! + 4n);
}
/** The instruction before, to be executed again. */
export function rewind({ words }: GuestContext): void {
  words[WORD.pc] = BigInt.asUintN(64, words[WORD.pc]! - 4n);
}

/** Exception classes with IL, from EL0; one more is from EL1. DFSC and IFSC: external abort. */
const ABORT_ESR = { instruction: 0x20n << 26n, data: 0x24n << 26n } as const;
const FROM_EL1 = 1n << 26n;
const IL = 1n << 25n;
const EXTERNAL_ABORT = 0x10n;
const MODE = 0xfn;
const EL0T = 0n;
const EL1T = 4n;

/**
 * The guest takes a synchronous external abort where it stands. Source: handle_pvm_entry_dabt;
 * enter_exception64, arch/arm64/kvm/hyp/exception.c (linux 6.1).
 */
export function injectAbort(context: GuestContext, ec: keyof typeof ABORT_ESR, far: bigint): void {
  const { words } = context;
  const mode = words[WORD.pstate]! & MODE;
  const class0 = ABORT_ESR[ec] | IL | EXTERNAL_ABORT;
  words[el1("ESR_EL1")] = mode === EL0T ? class0 : class0 + FROM_EL1;
  words[el1("FAR_EL1")] = far;
  words[el1("ELR_EL1")] = words[WORD.pc]!;
  words[el1("SPSR_EL1")] = words[WORD.pstate]!;
  const offset = mode === EL0T ? 0x400n : mode === EL1T ? 0n : 0x200n;
  words[WORD.pc] = words[el1("VBAR_EL1")]! + offset;
  words[WORD.pstate] = RESET_PSTATE;
}

const hostWord = (machine: Machine, { hostVcpu }: HypVcpu, offset: bigint): bigint =>
  readPhysical(machine.memory, hostVcpu + offset, 8)!;
const setHostWord = (
  machine: Machine,
  { hostVcpu }: HypVcpu,
  offset: bigint,
  value: bigint,
): void => {
  writePhysical(machine.memory, hostVcpu + offset, 8, BigInt.asUintN(64, value));
};

/** Registers of a guest that is not protected, as the host left them. Source: flush_hyp_vcpu. */
function fromHost(machine: Machine, vcpu: HypVcpu, context: GuestContext): void {
  for (let n = 0; n < GENERAL; n++) {
    setX(context, n, hostWord(machine, vcpu, VCPU.regs + BigInt(8 * n)));
  }
  context.words[WORD.pc] = hostWord(machine, vcpu, VCPU.pc);
  context.words[WORD.pstate] = hostWord(machine, vcpu, VCPU.pstate);
  const flags = hostWord(machine, vcpu, VCPU.iflags);
  if ((flags & IFLAG.incrementPc) !== 0n) skip(context);
  if ((flags & IFLAG.pendingAbort) !== 0n) {
    const esr = hostWord(machine, vcpu, VCPU.esr);
    const ec = esr >> 26n === 0x20n ? "instruction" : "data";
    injectAbort(context, ec, hostWord(machine, vcpu, VCPU.far));
  }
}

/** Does to EL2's copy what the entry says, and takes the host's wishes as done. */
export function enter(machine: Machine, vcpu: HypVcpu, entry: GuestEntry): GuestContext {
  const context = readContext(machine, vcpu);
  switch (entry.kind) {
    case "continues":
      break;
    case "starts":
      reset(context, entry.pc, entry.x);
      break;
    case "answered":
      setX(context, 0, entry.x0);
      break;
    case "accessed":
      if (entry.loads !== undefined) setX(context, entry.loads.register, entry.loads.value);
      skip(context);
      break;
    case "aborts":
      injectAbort(context, entry.ec, entry.far);
      break;
    case "from the host":
      fromHost(machine, vcpu, context);
      break;
  }
  setHostWord(machine, vcpu, VCPU.iflags, 0n);
  return context;
}

/** What the host sees of an exit. */
export interface Exit {
  readonly x: readonly bigint[] | undefined;
  readonly esr: bigint;
  readonly far: bigint;
  readonly ipa: bigint;
}

/** Writes what the host may see into its copy. Source: sync_hyp_vcpu, handle_pvm_exit_*. */
export function leave(machine: Machine, vcpu: HypVcpu, context: GuestContext, exit: Exit): void {
  const shown = exit.x ?? Array.from({ length: GENERAL }, (_, n) => getX(context, n));
  shown.forEach((value, n) => {
    setHostWord(machine, vcpu, VCPU.regs + BigInt(8 * n), value);
  });
  if (exit.x === undefined) {
    setHostWord(machine, vcpu, VCPU.pc, context.words[WORD.pc]!);
    setHostWord(machine, vcpu, VCPU.pstate, context.words[WORD.pstate]!);
  }
  setHostWord(machine, vcpu, VCPU.esr, exit.esr);
  setHostWord(machine, vcpu, VCPU.far, exit.far);
  setHostWord(machine, vcpu, VCPU.hpfar, exit.ipa >> 8n);
  writeContext(machine, vcpu, context);
}
