// What a sequence asks: calls and accesses as the recorded traces write them, pages by name.

import type { HostHvc, HostRead, HostSmc, HostWrite } from "../../model/scenario.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";

/** An HVC or SMC; registers that no argument names hold markers. */
export interface Call {
  readonly op: "hvc" | "smc";
  readonly cpu: number;
  /** The immediate of an HVC; 0 for an SMC. */
  readonly imm: number;
  readonly id: string;
  readonly args: readonly string[];
}

/** A load or store of 8 bytes; `val` is what is stored. */
export interface Access {
  readonly op: "host-read" | "host-write";
  readonly cpu: number;
  readonly at: string;
  readonly val: string;
}

/** One call, load or store of the host. */
export type Step = Call | Access;

/** Steps that belong together; afterwards everything is as it was before, as far as that goes. */
export type Sequence = readonly Step[];

/** What the project's scenarios call it. */
export type StepAction = HostHvc | HostSmc | HostRead | HostWrite;

/** Pages by name: the pfn of the first; `P+1` is the next. */
export type Pages = ReadonlyMap<string, bigint>;

/** Pages that every machine allocates first: POOL_PAGES that follow each other. */
export const POOL = "P";
export const POOL_PAGES = 8;

export const hex = (value: bigint | number): string =>
  `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

interface Where {
  readonly cpu?: number;
  readonly imm?: number;
}

export const hvc = (
  id: bigint | number,
  args: readonly string[] = [],
  { cpu = 0, imm = 0 }: Where = {},
): Call => ({ op: "hvc", cpu, imm, id: hex(id), args });

export const smc = (id: bigint | number, args: readonly string[] = [], cpu = 0): Call => ({
  ...{ op: "smc", cpu, imm: 0, id: hex(id), args },
});

export const hostRead = (at: string, cpu = 0): Access => ({ op: "host-read", cpu, at, val: "" });

export const hostWrite = (at: string, val: string, cpu = 0): Access => ({
  ...{ op: "host-write", cpu, at, val },
});

/** A number, P (a pfn) or P.pa (a physical address). */
function tokenNumber(token: string, pages: Pages): bigint | undefined {
  const [name = "", form] = token.split(".");
  const page = pages.get(name);
  if (page !== undefined) {
    if (form === undefined) return page;
    return form === "pa" ? page * PAGE_SIZE : undefined;
  }
  return /^(?:0x[0-9a-f]+|\d+)$/.test(token) ? BigInt(token) : undefined;
}

/** The number of an expression: a sum of tokens. */
export function numberOf(text: string, pages: Pages): bigint {
  let sum = 0n;
  for (const token of text.split("+")) {
    const value = tokenNumber(token, pages);
    if (value === undefined) throw new Error(`${token} names nothing`);
    sum += value;
  }
  return BigInt.asUintN(64, sum);
}

/** What the host does at a step, on a machine whose pages have these numbers. */
export function actionOf(step: Step, pages: Pages): StepAction {
  const number = (text: string): bigint => numberOf(text, pages);
  const { cpu } = step;
  switch (step.op) {
    case "hvc":
      return { kind: "hvc", cpu, imm: step.imm, x: [step.id, ...step.args].map(number) };
    case "smc":
      return { kind: "smc", cpu, x: [step.id, ...step.args].map(number) };
    case "host-read":
      return { kind: "host_read", cpu, address: number(step.at) };
    case "host-write":
      return { kind: "host_write", cpu, address: number(step.at), value: number(step.val) };
  }
}

/** A step as a person reads it. */
export function stepText(step: Step): string {
  const cpu = `cpu${step.cpu}`;
  switch (step.op) {
    case "hvc":
      return [cpu, `hvc #${step.imm}`, step.id, ...step.args].join(" ");
    case "smc":
      return [cpu, "smc #0", step.id, ...step.args].join(" ");
    case "host-read":
      return `${cpu} load [${step.at}]`;
    case "host-write":
      return `${cpu} store ${step.val} to [${step.at}]`;
  }
}
