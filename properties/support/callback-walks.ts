// Walks through traps of the host and through the registers that modules change.

import type { RuleId } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { Walk } from "./walks.ts";

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
];
const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});
const walk = (name: string, actions: readonly Action[], breaks: readonly RuleId[] = []): Walk => ({
  name,
  why: "no example does this",
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  actions: [...UP, ...actions],
  breaks,
});

/** A trapped access to a system register. */
const TRAP: Action = { kind: "host_trap", cpu: 0, esr: 0x6200_0000n };
const REGISTER = op("register_default_trap_handler", 0x20_0000_a000n);
const back = (handled: boolean): Action => ({
  kind: "default_trap_handler_returned",
  cpu: 0,
  handled,
});
/** HCR_EL2.TVM, TWI and VM. */
const [TVM, TWI, VM] = [1n << 26n, 1n << 13n, 1n];

const ESR = 0x9200_004fn;
const FAULT: Action = { kind: "host_perm_fault", cpu: 0, esr: ESR, ipa: 0x5000_0000n };
const returns = (value: number, handler = 0): Action => ({
  kind: "host_perm_fault_handler_returned",
  cpu: 0,
  handler,
  value,
});
const ABORT: Action = { kind: "illegal_abort", cpu: 0, esr: ESR };
const inject = (fromEl1: boolean): Action => ({
  kind: "host_inject_abort",
  cpu: 0,
  esr: ESR,
  fromEl1,
});
const register = (type: string, at = 0n): Action => op(`register_${type}`, 0x20_0000_a000n + at);

export const CALLBACK_WALKS: readonly Walk[] = [
  walk("permission faults without and with a handler", [
    FAULT,
    ABORT,
    inject(true),
    inject(false),
    register("host_perm_fault_handler"),
    register("illegal_abt_notifier"),
    FAULT,
    returns(0),
    FAULT,
    returns(-11),
    FAULT,
    returns(-1),
    ABORT,
    inject(true),
  ]),
  walk("a handler of permission faults answers another errno", [
    register("host_perm_fault_handler"),
    FAULT,
    returns(-22),
  ]),
  {
    ...walk("several handlers of permission faults", [
      register("host_perm_fault_handler"),
      register("host_perm_fault_handler", 8n),
      FAULT,
      returns(-1),
      returns(-22, 1),
      FAULT,
      returns(0),
    ]),
    system: { branch: "android16-6.12", build: "production", documented: false, cpuCount: 2 },
  },
  walk("a trap that nobody handles", [TRAP]),
  walk("a trap that a module handles", [REGISTER, TRAP, back(true)]),
  walk("a trap that a module leaves", [REGISTER, TRAP, back(false)]),
  walk("a module changes its CPU's registers", [
    op("update_hcr_el2", TVM | TWI, 0n),
    op("update_hcr_el2", TVM, TVM),
    op("update_hfgwtr_el2", 6n, 0n),
    op("update_hfgwtr_el2", 8n, 2n),
    op("puts", 0n),
    op("putx64", 7n),
  ]),
  walk("a module takes stage 2 of the host away", [
    { kind: "pkvm_load_early_modules" },
    { kind: "pkvm_drop_host_privileges" },
    { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0011n] },
    op("update_hcr_el2", 0n, VM),
  ]),
];
