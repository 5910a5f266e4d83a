// The same entry of EL2 with other secrets, owner by owner: what then differs for the host has
// leaked.

import { branchOf, opsBytes } from "../../spec/branches/branches.ts";
import { PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";
import type { SecretsVaried } from "../../spec/types/observed-action.ts";
import { pageOf } from "../ownership/page-of.ts";
import { forkSystem } from "./fork-system.ts";
import { CPU_MAX, hostContextPa } from "./layout.ts";
import { type Secret, secretsOf } from "./secret-owners.ts";
import { over, perform, type System } from "./system.ts";

const PATTERN = 0xa5c3_960f_5a3c_69f0n;

/**
 * Software bits that pKVM keeps nothing in: neither the processor nor pKVM looks at them. Source:
 * DDI0487 D8.3, bits 58:55; PKVM_PAGE_STATE_PROT_MASK (android14-6.1) is 56:55.
 */
const UNUSED_BITS = 3n << 57n;

/** Gives a secret another value. */
function change({ hyp, machine }: System, { what }: Secret): void {
  if (what.kind === "registers") {
    for (const core of machine.cores) {
      const registers = core.sysreg as unknown as Record<string, bigint | undefined>;
      for (const name of what.names) {
        const value = registers[name];
        if (value !== undefined) registers[name] = value ^ PATTERN;
      }
    }
    return;
  }
  const ops = opsBytes(branchOf(hyp.config)) / 8;
  const words = machine.physical.readPage(what.pa).map((word, n) => {
    if (what.holds === "descriptors") return (word & 1n) === 0n ? word : word ^ UNUSED_BITS;
    return what.holds === "ops" && n < ops ? word : word ^ PATTERN;
  });
  machine.physical.writePage(what.pa, words);
}

/** Registers of the host that the compared answers do not have: x18 to x30. */
const FURTHER = Array.from({ length: 13 }, (_, n) => n + 18);

const REGISTERS_BYTES = 31n * 8n;

/** Whether a word is a register that a CPU of the host gets back. */
const isHostRegister = (pa: bigint): boolean =>
  Array.from({ length: CPU_MAX }, (_, cpu) => pa - hostContextPa(cpu)).some(
    (offset) => offset >= 0n && offset < REGISTERS_BYTES,
  );

/** Whether the host can read a page. */
function isHosts(hyp: Hyp, page: Pfn): boolean {
  const { host, prot = 0 } = pageOf(hyp, page);
  return host === "MODULE_OWNED" ? (prot & PROT.R) !== 0 : host !== "NOPAGE";
}

/** Words that module code wrote in one of the two runs and that the host can read. */
function wordsOf(system: System, other: System, cpu: number): readonly bigint[] {
  const written = [...(system.watch?.writers.keys() ?? []), ...(other.watch?.writers.keys() ?? [])];
  return [...new Set(written)].filter(
    (pa) =>
      isHosts(system.hyp, pfn(Number(pa >> PAGE_SHIFT))) ||
      (isHostRegister(pa) && pa - (pa % PAGE_SIZE) !== hostContextPa(cpu)),
  );
}

type Difference = Pick<SecretsVaried, "returns" | "registers" | "words">;

/** What the host sees of two runs that is not the same. */
function differenceOf(
  system: System,
  other: System,
  cpu: number,
  answer: readonly bigint[],
  otherAnswer: readonly bigint[] | undefined,
): Difference {
  if (otherAnswer === undefined) return { returns: false, registers: [], words: [] };
  const registers = answer.map((value, n) => [n, value, otherAnswer[n] ?? 0n] as const);
  const further = FURTHER.map((n) => {
    const at = hostContextPa(cpu) + BigInt(8 * n);
    return [n, system.machine.physical.read64(at), other.machine.physical.read64(at)] as const;
  });
  const words = wordsOf(system, other, cpu).flatMap((address) => {
    const value = system.machine.physical.read64(address);
    const changed = other.machine.physical.read64(address);
    return value === changed ? [] : [{ address, value, other: changed }];
  });
  return {
    returns: true,
    registers: [...registers, ...further].flatMap(([register, value, changed]) =>
      value === changed ? [] : [{ register, value, other: changed }],
    ),
    words,
  };
}

const differs = ({ returns, registers, words }: Difference): boolean =>
  !returns || registers.length > 0 || words.length > 0;

/**
 * Does what was just done again from the state before it, with other secrets, and tells as steps
 * what of it the host sees: first with every secret another, then, where that shows, with those of
 * one owner at a time.
 */
export function varySecrets(
  system: System,
  before: System,
  cpu: number,
  answer: readonly bigint[] | undefined,
  enter: (other: System) => readonly bigint[] | undefined,
): void {
  if (over(system) || answer === undefined) return;
  const secrets = secretsOf(before, system.watch?.reads ?? new Map());
  const whereOther = (some: readonly Secret[]): Difference => {
    const other = forkSystem(before);
    for (const secret of some) change(other, secret);
    return differenceOf(system, other, cpu, answer, enter(other));
  };
  const all = whereOther(secrets);
  const owners = [...new Set(secrets.map(({ owner }) => owner))];
  const found = differs(all)
    ? owners.flatMap((owner) => {
        const one = whereOther(secrets.filter((secret) => secret.owner === owner));
        return differs(one) ? [{ ...one, owner }] : [];
      })
    : [];
  for (const difference of found.length > 0 ? found : [all]) tell(system, cpu, owners, difference);
}

/** One comparison, as a step. */
function tell(
  system: System,
  cpu: number,
  varied: readonly string[],
  difference: Difference & { readonly owner?: string },
): void {
  const { registers, words } = difference;
  const first = registers[0];
  const at =
    first === undefined ? words[0]?.address : hostContextPa(cpu) + BigInt(8 * first.register);
  const from = at === undefined ? undefined : system.watch?.writers.get(at);
  const action: SecretsVaried = { kind: "secrets_varied", cpu, varied, ...difference };
  perform(system, from === undefined ? action : { ...action, from });
}
