// One line for one step: what was done and what was answered. Stored files and reports share it.

import { match, P } from "ts-pattern";
import type { ModelStep } from "../model/step.ts";
import { branchOf, HOST_SMCCC_BASE } from "../spec/branches/branches.ts";
import type { Action } from "../spec/types/action.ts";
import { errnoName } from "../spec/types/errno.ts";
import type { Hyp } from "../spec/types/hyp.ts";
import type { ObservedAction } from "../spec/types/observed-action.ts";
import { type Outcome, signed } from "../spec/types/outcome.ts";
import { entryLine, guestActionLine } from "./guest-line.ts";

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** The marker that a register holds when nothing else was put there. Source: the traces' driver. */
const marker = (n: number): bigint => 0xa0a0_0000n + BigInt(n);

/**
 * The arguments of a call, x1 first; what nobody set at the end is left out, and is "-" elsewhere.
 */
function argumentsOf(x: readonly bigint[]): string {
  const isSet = (value: bigint, n: number) => value !== 0n && value !== marker(n + 1);
  const args = x.slice(1);
  return args
    .slice(0, args.findLastIndex(isSet) + 1)
    .map((value, n) => (value === marker(n + 1) ? " -" : ` ${hex(value)}`))
    .join("");
}

/** A hypercall by the kernel's name, where its number has one, otherwise by x0. */
function callName({ config }: Pick<Hyp, "config">, x0: bigint): string {
  const name = branchOf(config).hcalls[Number(x0 - HOST_SMCCC_BASE)];
  return name === undefined || x0 === HOST_SMCCC_BASE ? hex(x0) : name;
}

/** What was seen of module code. */
const observedLine = (action: ObservedAction): string =>
  match(action)
    .with({ kind: "el2_access" }, ({ cpu, va, pfn, store, slot }) => {
      const where = slot === undefined ? `${hex(va)}, pfn ${hex(BigInt(pfn))}` : `op slot ${slot}`;
      return `cpu${cpu} EL2 ${store ? "writes" : "reads"} ${where}`;
    })
    .with(
      { kind: "call_repeated" },
      ({ cpu, id, second }) =>
        `cpu${cpu} the same call of ${hex(id)} took ${second.pins} pins, ${second.pages} pages, ` +
        `${second.addresses} addresses again`,
    )
    .with(
      { kind: "secrets_varied" },
      ({ cpu, registers, words, owner }) =>
        `cpu${cpu} with ${owner === undefined ? "other secrets" : `other contents of ${owner}`} ` +
        `${registers.length} registers, ${words.length} words differ`,
    )
    .with(
      { kind: "op_failed" },
      ({ cpu, op, errno }) => `cpu${cpu} op ${op} failed with -${errno} in that call`,
    )
    .exhaustive();

/** An action of one CPU: what it executed, what came back on it, how it ended. */
type CpuAction = Extract<Action, { readonly cpu: number }>;

function cpuLine(action: CpuAction, pre: Pick<Hyp, "config">): string {
  return match(action)
    .with({ kind: "hvc" }, ({ cpu, imm, x }) => {
      const immediate = imm === 0 ? "" : `#${imm} `;
      return `cpu${cpu} HVC ${immediate}${callName(pre, x[0] ?? 0n)}${argumentsOf(x)}`;
    })
    .with({ kind: "smc" }, ({ cpu, imm, x }) => {
      const immediate = imm === undefined || imm === 0 ? "" : `#${imm} `;
      return `cpu${cpu} SMC ${immediate}${hex(x[0] ?? 0n)}${argumentsOf(x)}`;
    })
    .with(
      { kind: "host_smc_handler_returned" },
      ({ cpu, handled }) => `cpu${cpu} SMC handler returns ${handled}`,
    )
    .with({ kind: "psci_notified" }, ({ cpu }) => `cpu${cpu} PSCI notifier returns`)
    .with(
      { kind: "host_perm_fault" },
      ({ kind, cpu, ipa, esr }) => `cpu${cpu} ${kind} at ${hex(ipa)} ESR ${hex(esr)}`,
    )
    .with(
      { kind: "host_perm_fault_handler_returned" },
      ({ cpu, value }) => `cpu${cpu} permission-fault handler returns ${errnoName(value)}`,
    )
    .with(
      { kind: "illegal_abort" },
      { kind: "host_inject_abort" },
      ({ kind, cpu, esr }) => `cpu${cpu} ${kind} ESR ${hex(esr)}`,
    )
    .with({ kind: "host_trap" }, ({ kind, cpu, esr }) => `cpu${cpu} ${kind} ESR ${hex(esr)}`)
    .with(
      { kind: "default_trap_handler_returned" },
      ({ cpu, handled }) => `cpu${cpu} trap handler returns ${handled}`,
    )
    .with({ kind: "psci_cpu_entry" }, ({ kind, cpu }) => `cpu${cpu} ${kind}`)
    .with(
      { kind: "el2_init_returned" },
      ({ cpu, value }) =>
        `cpu${cpu} EL2 init returns ${errnoName(Number(BigInt.asIntN(32, value)))}`,
    )
    .with({ kind: "handler_returned" }, ({ cpu }) => `cpu${cpu} handler returns`)
    .with(
      { kind: "op" },
      ({ cpu, op, args }) => `cpu${cpu} op ${op}(${args.slice(0, 3).map(hex).join(", ")})`,
    )
    .with(
      { kind: "el2_exception" },
      { kind: "host_oops" },
      ({ kind, cpu, esr, elr, far }) =>
        `cpu${cpu} ${kind} ESR ${hex(esr)} ELR ${hex(elr)} FAR ${hex(far)}`,
    )
    .with({ kind: "host_panic" }, ({ cpu, why }) => `cpu${cpu} host panic: ${why}`)
    .with(
      { kind: "host_mem_abort" },
      ({ cpu, page }) => `cpu${cpu} touches page 0x${page.toString(16)} of another`,
    )
    .with({ kind: "budget_spent" }, ({ cpu, where }) => `cpu${cpu} does not end: ${where}`)
    .with(GUEST_ON_CPU, guestActionLine)
    .with(
      { kind: "el2_access" },
      { kind: "call_repeated" },
      { kind: "secrets_varied" },
      { kind: "op_failed" },
      observedLine,
    )
    .exhaustive();
}

/** What a guest does on its CPU. */
const GUEST_ON_CPU = { kind: P.union("guest_hvc", "guest_abort", "guest_budget_spent") } as const;

/** What was done, in a few words and the kernel's names. */
export function actionLine(action: Action, pre: Pick<Hyp, "config">): string {
  if ("cpu" in action) return cpuLine(action, pre);
  return match(action)
    .with({ kind: "parse_early_param" }, ({ commandLine }) => `parse_early_param "${commandLine}"`)
    .with(
      { kind: "pkvm_request_early_module" },
      ({ kind, name }) => `${kind} ${JSON.stringify(name)}`,
    )
    .with({ kind: "modprobe_exit" }, ({ name, status }) => `modprobe ${name} exits ${status}`)
    .with({ kind: "pkvm_firmware_rmem_clear" }, ({ kind, because }) => `${kind}: ${because}`)
    .with({ kind: "load_module" }, ({ kind, name, refused }) =>
      refused === undefined ? `${kind} ${name}` : `${kind} ${name}: ${refused.why}`,
    )
    .with(
      { kind: "module_init_returned" },
      ({ name, value }) => `init of ${name} returns ${errnoName(value)}`,
    )
    .with(
      { kind: "pkvm_reloc_imported_symbols" },
      ({ name, value }) => `imports of ${name} resolve to ${errnoName(value)}`,
    )
    .with({ kind: "el2_module_reserved" }, ({ name, base }) => `token of ${name} = ${hex(base)}`)
    .with(
      { kind: "el2_module_loaded" },
      ({ name, value }) => `__pkvm_load_el2_module of ${name} returns ${errnoName(value)}`,
    )
    .with(
      { kind: "__pkvm_load_el2_module" },
      { kind: "delete_module" },
      ({ kind, name }) => `${kind} ${name}`,
    )
    .with({ kind: "pkvm_iommu_finalize" }, ({ kind, value }) => `${kind} ${value}`)
    .with(
      { kind: "kvm_arm_init" },
      { kind: "pkvm_load_early_modules" },
      { kind: "pkvm_drop_host_privileges" },
      ({ kind }) => kind,
    )
    .otherwise(guestActionLine);
}

const number = (raw: bigint): string => {
  const value = signed(raw);
  if (value < 0n && value >= -4095n) return errnoName(Number(value));
  return raw > 4095n ? hex(raw) : String(raw);
};

/** What was answered, in a few words. */
export function outcomeLine(outcome: Outcome): string {
  return match(outcome)
    .with({ kind: "returned" }, ({ value }) => number(value))
    .with({ kind: "hcall" }, ({ x0, x1 }) =>
      x0 === 0n
        ? `x1=${x1 === undefined ? "kept" : number(x1)}`
        : `x0=${x0 === 0xffff_ffff_ffff_ffffn ? "-1" : hex(x0)}`,
    )
    .with({ kind: "enters" }, ({ address }) => `enters ${hex(address)}`)
    .with({ kind: "registers" }, ({ x }) => `x0=${x.map(number).join(" ")}`)
    .with({ kind: "off" }, ({ what }) => `no return: ${what}`)
    .with({ kind: "runs" }, ({ entry }) => `the guest ${entryLine(entry)}`)
    .with({ kind: "guest" }, ({ x }) => `x0=${number(x[0] ?? 0n)}`)
    .with({ kind: "exits" }, ({ again }) => `to the host${again ? ", to be made again" : ""}`)
    .with({ kind: "user" }, ({ event }) => `to user space, system event ${event.type}`)
    .with({ kind: "hyp-panic" }, ({ reason }) => `hyp panic ${reason}`)
    .with({ kind: "host-panic" }, ({ reason }) => `host panic ${reason}`)
    .with({ kind: "hang" }, ({ where }) => `hangs in ${where}`)
    .with({ kind: "unmodelled" }, ({ what }) => `not modelled: ${what}`)
    .exhaustive();
}

/** The step as it is stored and compared. */
export const stepLine = ({ pre, action, outcome }: ModelStep): string =>
  `${actionLine(action, pre)} -> ${outcomeLine(outcome)}`;
