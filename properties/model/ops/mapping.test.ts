// The mapping ops on the machine: what code at EL2 finds at the addresses that it mapped.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import type { AccessRecord, HvcRecord } from "../../../model/log.ts";
import { disagreements } from "../../../model/machine/abstract.ts";
import { act, createSystem } from "../../../model/machine/run-scenario.ts";
import type { HostAction, Scenario } from "../../../model/scenario.ts";

const OVM = readFileSync(
  fileURLToPath(new URL("../../../examples/measurement/ovm.ko", import.meta.url)),
);
const FILES = new Map([["ovm", OVM]]);

/** The measurement module with its handler of ops, on a booted system. */
const SCENARIO: Scenario = {
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    commandLine: "kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=load,reg,regops",
    firmwareBytes: 0,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: [{ name: "ovm", file: "ovm", needs: [] }],
    faults: [],
  },
  actions: [],
};

/** A call of the handler of ops: which op, and its arguments. */
const ops = (number: bigint, ...args: readonly bigint[]): HostAction => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: [0xc600_0081n, number, ...args],
});

/** x1 of each call, or the value of each access; agreement of the tables after every action. */
function answersTo(...actions: readonly HostAction[]): readonly (bigint | undefined)[] {
  const system = createSystem(SCENARIO, FILES, {});
  boot(system);
  return actions.map((action) => {
    const from = system.log.length;
    act(system, action);
    expect(system.unmodelled).toBeUndefined();
    expect(disagreements(system.machine, system.hyp)).toEqual([]);
    const record = system.log
      .slice(from)
      .findLast(
        (event): event is HvcRecord | AccessRecord =>
          event.kind === "access" || (event.kind === "hvc" && event.by === "host"),
      );
    return record?.kind === "access" ? record.value : record?.after?.[1];
  });
}

const PFN = 0x50000n;
const PA = PFN << 12n;
const LINEAR = PA + 0x40_0000_0000n - 0x4000_0000n;
const MINUS = (errno: bigint): bigint => BigInt.asUintN(64, -errno);
const [MAP, EARLY, UNMAP_EARLY, READ, WRITE, ALLOC] = [16n, 18n, 19n, 23n, 24n, 15n];

test("an early mapping shows EL2 what the host wrote, and the host what EL2 writes", () => {
  expect(
    answersTo(
      { kind: "host_write", cpu: 0, address: PA, value: 0x1234n },
      ops(EARLY, PA, 0x1000n, 6n),
      ops(READ, LINEAR),
      ops(WRITE, LINEAR, 0x5678n),
      { kind: "host_read", cpu: 1, address: PA },
      ops(UNMAP_EARLY, LINEAR, 0x1000n),
    ).slice(1),
  ).toEqual([LINEAR, 0x1234n, 0n, 0x5678n, 0n]);
});

test("a module page is mapped where it was reserved, and is the host's no more", () => {
  const va = 0x20_0001_6000n; // the first address after ovm. Source: measured, machines.
  expect(
    answersTo(
      ops(ALLOC, 1n),
      ops(MAP, PFN, va, 6n, 0n),
      ops(WRITE, va, 0x77n),
      ops(READ, LINEAR),
      { kind: "host_read", cpu: 0, address: PA },
      ops(MAP, PFN, va, 6n, 0n),
      ops(MAP, PFN + 1n, va + 0x1000n, 7n, 0n),
    ),
  ).toEqual([va, 0n, 0n, 0x77n, undefined, MINUS(1n), MINUS(22n)]);
});

test("protections that only devices and guests have are written as asked for", () => {
  const [PROTECT, LEAF] = [7n, 13n];
  const system = createSystem(SCENARIO, FILES, {});
  boot(system);
  const leaves = [0x17n, 0x26n, 0x46n].map((prot) => {
    act(system, ops(PROTECT, PFN, prot));
    act(system, ops(LEAF, PA));
    const record = system.log.findLast((event): event is HvcRecord => event.kind === "hvc");
    expect(disagreements(system.machine, system.hyp)).toEqual([]);
    return (record?.after?.[2] ?? 0n) - PA;
  });
  // Normal non-cacheable, RWX; not at EL1, RW; not at EL0, RW. Source: DDI0487 D8.3, stage 2.
  expect(leaves).toEqual([0x7d7n, 0x200000000007ffn, 0x600000000007ffn]);
});
