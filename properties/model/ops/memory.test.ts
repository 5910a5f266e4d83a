// Ops that reach memory, called by the measurement module's own code on the machine.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runScenario } from "../../../model/machine/run-scenario.ts";
import type { HostAction } from "../../../model/scenario.ts";

const OVM = fileURLToPath(new URL("../../../examples/measurement/ovm.ko", import.meta.url));
const FILES = new Map([["ovm", readFileSync(OVM)]]);

/** A page of memory that nobody uses. */
const PA = 0x7a00_0000n;

/** Boots the module with its op handler, acts, and gives what each action answered. */
function answers(actions: readonly HostAction[]): readonly (readonly bigint[] | string)[] {
  const run = runScenario(
    {
      system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
      boot: {
        commandLine: "kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=load,reg,regops",
        firmwareBytes: 0,
        modprobe: "stand-in",
        modulePath: "",
        initramfs: [{ name: "ovm", file: "ovm", needs: [] }],
        faults: [],
      },
      actions,
    },
    FILES,
  );
  expect(run.unmodelled).toBeUndefined();
  return run.log.flatMap((entry) => {
    if (entry.kind === "hvc" && entry.by === "host") return [entry.after ?? "did not return"];
    if (entry.kind === "access") return [entry.value === undefined ? "abort" : [entry.value]];
    return [];
  });
}

/** A call of the module's second handler: x1 names the op. */
const call = (...args: readonly bigint[]): HostAction => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: [0xc600_0081n, ...args],
});

test("a private mapping reaches the page that it maps, which stays the host's", () => {
  // The first free page after the module's six. Source: measured, machines: op 15 after ovm.
  const va = 0x20_0001_6000n;
  const [mapped, , read] = answers([
    call(17n, PA + 0x128n, 8n, 6n),
    call(24n, va + 0x128n, 0x1234_5678_9abcn),
    { kind: "host_read", cpu: 0, address: PA + 0x128n },
  ]);
  expect(mapped?.slice(0, 3)).toEqual([0n, 0n, va + 0x128n]);
  expect(read).toEqual([0x1234_5678_9abcn]);
});

test("the fixmap reaches a page of the host", () => {
  const [, mapped] = answers([
    { kind: "host_write", cpu: 0, address: PA + 8n, value: 0x77n },
    call(14n, PA + 8n),
  ]);
  expect(mapped?.slice(0, 3)).toEqual([0n, 0n, 0x77n]);
});

test("a page that was given away cannot be read until it is returned, with its contents", () => {
  const read: HostAction = { kind: "host_read", cpu: 1, address: PA };
  const frame = PA >> 12n;
  const [, , kept, , back] = answers([
    { kind: "host_write", cpu: 0, address: PA, value: 0x55n },
    call(1n, frame, 1n),
    read,
    call(2n, frame, 1n),
    read,
  ]);
  expect([kept, back]).toEqual(["abort", [0x55n]]);
});
