// The host's registers while EL2 runs: struct kvm_cpu_context, in EL2 memory, one for each CPU.

import { readBytes, readPhysical, writeBytes, writePhysical } from "../../cpu/memory.ts";
import type { Core } from "../../cpu/state.ts";
import { hostContextPa } from "./layout.ts";
import type { Machine } from "./machine.ts";

/**
 * regs[31] come first: x0 to x30. Source: struct user_pt_regs, uapi/asm/ptrace.h; first member of
 * kvm_cpu_context.
 */
const REGISTERS = 31;
const REGISTERS_BYTES = 8 * REGISTERS;

/** __host_exit: x0 to x30 go to the context. */
export function saveHost(machine: Machine, cpu: number, core: Core): void {
  const bytes = new Uint8Array(core.x.buffer, core.x.byteOffset, REGISTERS_BYTES);
  writeBytes(machine.memory, hostContextPa(cpu), bytes);
}

/** __host_enter_restore_full: x0 to x30 come back from it, as whoever had the context left them. */
export function restoreHost(machine: Machine, cpu: number, core: Core): void {
  const bytes = readBytes(machine.memory, hostContextPa(cpu), REGISTERS_BYTES)!;
  core.x.set(new BigUint64Array(bytes.buffer));
}

const registerPa = (cpu: number, n: number): bigint => {
  if (n < 0 || n >= REGISTERS) throw new RangeError(`x${n} is no register of the context`);
  return hostContextPa(cpu) + BigInt(8 * n);
};

/** A register of the host that trapped on a CPU. */
export const readHostRegister = (machine: Machine, cpu: number, n: number): bigint =>
  readPhysical(machine.memory, registerPa(cpu, n), 8)!;

export function writeHostRegister(machine: Machine, cpu: number, n: number, value: bigint): void {
  writePhysical(machine.memory, registerPa(cpu, n), 8, BigInt.asUintN(64, value));
}

/** Writes x0 and up. */
export function writeHostRegisters(machine: Machine, cpu: number, x: readonly bigint[]): void {
  const words = BigUint64Array.from(x.slice(0, REGISTERS));
  writeBytes(machine.memory, hostContextPa(cpu), new Uint8Array(words.buffer));
}
