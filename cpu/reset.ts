// The state of a processing element after reset, and a copy of a running one.

import type { CpuModel } from "./cpu-model.ts";
import type { Memory } from "./memory.ts";
import { createTlb, forkTlb, type TlbMode } from "./mmu/tlb.ts";
import type { Core, PState } from "./state.ts";
import { createSysregs, forkSysregs } from "./sysregs/registers.ts";

/**
 * A core as reset leaves it: EL2 with its own stack pointer, interrupts masked, translation off.
 * It joins `memory.cores`. Registers that the architecture leaves UNKNOWN are zero.
 * Source: DDI0487 D1.3.2 Reset; without EL3 the highest Exception level is EL2.
 */
export function resetCore(
  cpuModel: CpuModel,
  memory: Memory,
  mpidr: bigint,
  tlbMode: TlbMode = "none",
): Core {
  const x = new BigUint64Array(31);
  const core: Core = {
    cpuModel,
    memory,
    x,
    w: new Uint32Array(x.buffer),
    sp: new BigUint64Array(3),
    pc: 0n,
    pstate: resetPState(),
    sysreg: createSysregs(cpuModel, mpidr),
    tlb: createTlb(tlbMode),
    exclusive: undefined,
    pending: { irq: false, fiq: false, serror: false },
    stepped: "nothing",
    event: false,
    counterBase: 0n,
    retired: 0,
  };
  memory.cores.push(core);
  return core;
}

/** A copy of a core on another memory, which must be a fork of the core's own. */
export function forkCore(core: Core, memory: Memory): Core {
  const x = core.x.slice();
  const copy: Core = {
    cpuModel: core.cpuModel,
    memory,
    x,
    w: new Uint32Array(x.buffer),
    sp: core.sp.slice(),
    pc: core.pc,
    pstate: { ...core.pstate },
    sysreg: forkSysregs(core.sysreg),
    tlb: forkTlb(core.tlb),
    exclusive: core.exclusive,
    pending: { ...core.pending },
    stepped: core.stepped,
    event: core.event,
    counterBase: core.counterBase,
    retired: core.retired,
  };
  memory.cores.push(copy);
  return copy;
}

function resetPState(): PState {
  return {
    N: 0,
    Z: 0,
    C: 0,
    V: 0,
    D: 1,
    A: 1,
    I: 1,
    F: 1,
    EL: 2,
    SP: 1,
    SS: 0,
    IL: 0,
    PAN: 0,
    UAO: 0,
    DIT: 0,
    TCO: 0,
    SSBS: 0,
    BTYPE: 0,
  };
}
