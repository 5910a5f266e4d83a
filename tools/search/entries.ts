// Every way in which the host enters code of a module: its own instruction, and the registers that
// it is free to choose.

import { kernelLinear } from "../../model/machine/layout.ts";
import type { System } from "../../model/machine/system.ts";
import type { HostAction } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import { isMemory } from "../../spec/machine.ts";
import { FFA, PSCI } from "../../spec/smccc.ts";
import { addressOf, type Pfn, pfn } from "../../spec/types/address.ts";
import type { CallbackType, Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import type { Vector } from "./call-vectors.ts";

/** One way in. */
export interface Entry {
  readonly kind: "hvc" | "smc" | "host_insn";
  /** The same name in every state: what was learned of it is kept by it. */
  readonly name: string;
  /** What a verdict tells it with. */
  readonly group: string;
  readonly cpu: number;
  /** The instruction, where it is neither HVC nor SMC. */
  readonly word: number;
  /** Registers that the way itself needs; all others are the host's choice. */
  readonly fixed: Vector;
}

/** NON-SPEC: limits of what is entered; a verdict says what was. */
const FUNCTIONS_MAX = 24;
const PAGES_MAX = 2;

/** The registered hypercalls, each function once. */
function hypercalls({ dispatch, config }: Hyp): readonly Entry[] {
  const base = branchOf(config).dynamicBase ?? 0;
  const seen = new Set<bigint>();
  const entries = dispatch.dynamicHcalls.flatMap((address, n): Entry[] => {
    if (seen.has(address)) return [];
    seen.add(address);
    const fixed = new Map([[0, hostSmcccId(base + n)]]);
    const name = `hypercall ${base + n}`;
    return [{ kind: "hvc", name, group: name, cpu: 0, word: 0, fixed }];
  });
  return entries.slice(0, FUNCTIONS_MAX);
}

const smc = (name: string, cpu: number, ...x: readonly bigint[]): Entry => ({
  kind: "smc",
  name: x.length === 0 ? name : `${name} on CPU ${cpu}`,
  group: x.length === 0 || name.startsWith("FFA") ? name : "PSCI",
  cpu,
  word: 0,
  fixed: new Map(x.map((value, n) => [n, value])),
});

/** What a PSCI notifier is told of: CPUs that suspend, and those that another one starts. */
const psciCalls = ({ psci }: Hyp): readonly Entry[] =>
  psci.power.flatMap((power, cpu) => {
    if (power === "on") {
      return [
        smc("CPU_SUSPEND", cpu, PSCI.CPU_SUSPEND),
        smc("SYSTEM_SUSPEND", cpu, PSCI.SYSTEM_SUSPEND),
      ];
    }
    const other = psci.power.indexOf("on");
    return other < 0 ? [] : [smc(`CPU_ON of CPU ${cpu}`, other, PSCI.CPU_ON, BigInt(cpu))];
  });

/**
 * Loads and stores at [x1] that an abort tells apart: which register, none, none that the syndrome
 * names. Source: DDI0487 C4.1 Loads and stores; D24.2.40 ESR_EL2, ISV and SRT.
 */
const ACCESSES = [
  ["STR x0", 0xf900_0020],
  ["LDR x0", 0xf940_0020],
  ["STR xzr", 0xf900_003f],
  ["LDR xzr", 0xf940_003f],
  ["STRB w2", 0x3900_0022],
  ["STP x2, x3", 0xa900_0c22],
  ["LDR x0, post-index", 0xf840_8420],
] as const satisfies readonly (readonly [string, number])[];

/** The address register of `ACCESSES`. */
const ADDRESS = 1;

/** Accesses to pages, each by one of the two first CPUs. */
const accesses = ({ machine, hyp }: System, what: string, pages: readonly Pfn[]): Entry[] =>
  pages.slice(0, PAGES_MAX).flatMap((page, nth) =>
    ACCESSES.map(([name, word], n): Entry => {
      const on = hyp.psci.power.flatMap((power, cpu) => (power === "on" ? [cpu] : []));
      const fixed = new Map([[ADDRESS, kernelLinear(machine.branch, addressOf(page)) as bigint]]);
      const cpu = on[n % on.length] ?? 0;
      const group = `accesses to ${what}s`;
      return { kind: "host_insn", name: `${name} to ${what} ${nth}`, group, cpu, word, fixed };
    }),
  );

/** Memory whose stage 2 a module has restricted for the host. */
const restricted = ({ pages }: Hyp): readonly Pfn[] =>
  [...pages].flatMap(([page, { host, prot = 0 }]) =>
    isMemory(page) && host === "MODULE_OWNED" && (prot & PROT.R) !== 0 ? [page] : [],
  );

/** Memory that is not the host's: the hypervisor's, then what others have by now. */
function foreign({ config, pages }: Hyp): readonly Pfn[] {
  const { carveOut } = branchOf(config).layout;
  const taken = [...pages].flatMap(([page, { host }]) =>
    isMemory(page) && host === "NOPAGE" ? [page] : [],
  );
  return [pfn(carveOut.last), ...taken.slice(-1)];
}

/**
 * Instructions of EL1 that bits of HCR_EL2 trap, none of which does anything where it is not
 * trapped. Source: DDI0487 D24.2.53 HCR_EL2; C5.3 System instruction class encodings.
 */
const TRAPPED = [
  ["WFE", 14, 0xd503_205f],
  ["WFI", 13, 0xd503_207f],
  ["MSR CONTEXTIDR_EL1, x2", 26, 0xd518_d022],
  ["MRS x2, CONTEXTIDR_EL1", 30, 0xd538_d022],
  ["MRS x2, ID_AA64PFR0_EL1", 18, 0xd538_0402],
  ["MRS x2, ACTLR_EL1", 21, 0xd538_1022],
] as const satisfies readonly (readonly [string, number, number])[];

/** What the controls of a CPU trap now; its default handler is asked. */
const traps = ({ machine, hyp }: System): readonly Entry[] =>
  machine.cores.flatMap(({ sysreg }, cpu) => {
    if (hyp.psci.power[cpu] !== "on") return [];
    const asked = TRAPPED.filter(([, bit]) => ((sysreg.HCR_EL2 >> BigInt(bit)) & 1n) === 1n);
    return asked.map(([name, , word]): Entry => {
      const told = { name: `${name} on CPU ${cpu}`, group: "instructions that are trapped" };
      return { kind: "host_insn", ...told, cpu, word, fixed: new Map() };
    });
  });

/** The ways to one kind of callback, while one is registered. */
const WAYS: Readonly<Partial<Record<CallbackType, (system: System) => readonly Entry[]>>> = {
  host_smc_handler: () => [smc("SMC", 0)],
  psci_notifier: ({ hyp }) => psciCalls(hyp),
  illegal_abt_notifier: (system) => accesses(system, "foreign page", foreign(system.hyp)),
  host_perm_fault_handler: (system) => accesses(system, "restricted page", restricted(system.hyp)),
  default_trap_handler: traps,
  // The way to a panic that every host has on 6.1: EL2 writes through NULL.
  hyp_panic_notifier: () => [smc("FFA_MEM_RECLAIM", 0, FFA.MEM_RECLAIM)],
};

/** Every way in that a state has. */
export function entriesOf(system: System): readonly Entry[] {
  const { hyp } = system;
  const kinds = Object.keys(hyp.dispatch.callbacks) as CallbackType[];
  const callbacks = kinds.flatMap((kind) => WAYS[kind]?.(system) ?? []);
  return [...hypercalls(hyp), ...callbacks].filter(({ cpu }) => hyp.psci.power[cpu] === "on");
}

/** What a register holds that a vector does not name. Source: the markers of the traces. */
const marker = (n: number): bigint => 0xa0a0_0000n + BigInt(n);

/** What the host does to enter there with a vector. */
export function callOf({ kind, cpu, word, fixed }: Entry, vector: Vector): HostAction {
  const values = new Map([...vector, ...fixed]);
  const last = Math.max(0, ...values.keys());
  const x = Array.from({ length: last + 1 }, (_, n) => values.get(n) ?? marker(n));
  if (kind === "smc") return { kind, cpu, x };
  return kind === "hvc" ? { kind, cpu, imm: 0, x } : { kind, cpu, word, x };
}
