// The same call with other secrets: what then differs for the host has leaked.

import { addressOf, PAGE_SHIFT, pfn } from "../../spec/types/address.ts";
import type { SecretsVaried } from "../../spec/types/observed-action.ts";
import { pageOf } from "../ownership/page-of.ts";
import { forkSystem } from "./fork-system.ts";
import { HYP_POOL, hostContextPa, hypStackPa } from "./layout.ts";
import { over, perform, type System } from "./system.ts";

/**
 * Source: the keys of pointer authentication, DDI0487 D19.2, APIAKeyLo_EL1 and its kin: EL2 uses
 * the registers that EL1 has, and pKVM changes their values.
 */
const KEYS = ["IA", "IB", "DA", "DB", "GA"].flatMap((key) => [
  `AP${key}KeyLo_EL1`,
  `AP${key}KeyHi_EL1`,
]);

const PATTERN = 0xa5c3_960f_5a3c_69f0n;
const WORDS = 512;
const PAGE = 4096n;

/** Pages of the hypervisor's pool that nothing has taken: the last ones. */
const FREE_PAGES = 2n;

/** What another secret is put into: unused memory of the hypervisor, stacks, pages of guests. */
function secretPages({ hyp, machine }: System): readonly bigint[] {
  const stacks = machine.cores.map((_, cpu) => hypStackPa(cpu));
  const free = Array.from(
    { length: Number(FREE_PAGES) },
    (_, n) => HYP_POOL.end - BigInt(n + 1) * PAGE,
  );
  const guests = [...hyp.pages].flatMap(([page, { owner }]) =>
    owner === "GUEST" ? [addressOf(page)] : [],
  );
  return [...stacks, ...free, ...guests];
}

/** A copy of the system in which every secret is another. */
export function withOtherSecrets(system: System): System {
  const other = forkSystem({ ...system, options: { ...system.options, secrets: false } });
  const { machine } = other;
  for (const pa of secretPages(other)) {
    const words = machine.physical.readPage(pa).map((word) => word ^ PATTERN);
    machine.physical.writePage(pa, words.subarray(0, WORDS));
  }
  for (const core of machine.cores) {
    const registers = core.sysreg as unknown as Record<string, bigint | undefined>;
    for (const key of KEYS) {
      const value = registers[key];
      if (value !== undefined) registers[key] = value ^ PATTERN;
    }
  }
  return other;
}

/** Words that module code wrote in one of the two runs and that the host can read. */
function wordsOf(system: System, other: System): readonly bigint[] {
  const written = [...(system.watch?.writers.keys() ?? []), ...(other.watch?.writers.keys() ?? [])];
  return [...new Set(written)].filter(
    (pa) => pageOf(system.hyp, pfn(Number(pa >> PAGE_SHIFT))).host !== "NOPAGE",
  );
}

/** Holds a call against the same call with other secrets, as a step. */
export function compareSecrets(
  system: System,
  other: System,
  cpu: number,
  answer: readonly bigint[] | undefined,
  otherAnswer: readonly bigint[] | undefined,
): void {
  if (over(system)) return;
  const registers = (answer ?? []).flatMap((value, register) => {
    const differs = otherAnswer !== undefined && otherAnswer[register] !== value;
    return differs ? [{ register, value, other: otherAnswer[register] ?? 0n }] : [];
  });
  const words = wordsOf(system, other).flatMap((address) => {
    const value = system.machine.physical.read64(address);
    const changed = other.machine.physical.read64(address);
    return value === changed ? [] : [{ address, value, other: changed }];
  });
  const first = registers[0];
  const at =
    first === undefined ? words[0]?.address : hostContextPa(cpu) + BigInt(8 * first.register);
  const from = at === undefined ? undefined : system.watch?.writers.get(at);
  const action: SecretsVaried = {
    kind: "secrets_varied",
    cpu,
    returns: otherAnswer !== undefined,
    registers,
    words,
  };
  perform(system, from === undefined ? action : { ...action, from });
}
