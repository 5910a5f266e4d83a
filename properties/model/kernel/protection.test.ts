// The memory of a module that was loaded: what the kernel itself may still write.

import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import { environmentOf } from "../../../model/machine/environment.ts";
import { hostAccess } from "../../../model/machine/run.ts";
import { createSystem } from "../../../model/machine/run-scenario.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";
import { A, AX, buildElf, MODULE_SECTIONS, WA } from "../elf/build-elf.ts";

/** A module of one byte of each kind, without an init. */
const FILE = buildElf({
  sections: [
    { name: ".text", flags: AX, bytes: new Uint8Array(1) },
    { name: ".rodata", flags: A, bytes: new Uint8Array(1) },
    { name: ".data", flags: WA, bytes: new Uint8Array(1) },
    ...MODULE_SECTIONS,
  ],
});

// Source: module_enable_ro, complete_formation, kernel/module/main.c.
test("code and constants of one byte are not writable, data is", () => {
  const scenario = {
    system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
    boot: { ...bootOf("m", []), initramfs: [{ name: "m", file: "m", needs: [] }] },
    actions: [],
  } as const;
  const system = createSystem(scenario, new Map([["m", FILE]]), {});
  boot(system);
  const [image] = system.images.values();
  const { sections } = image!.loaded;
  const write = (name: string): string => {
    const va = sections.find((section) => section.name === name)!.address;
    return hostAccess(system.machine, 0, { va, sizeBytes: 1, store: 1n }, environmentOf(system))
      .kind;
  };
  expect(write(".data")).toBe("value");
  expect(write(".rodata")).toBe("fault");
  expect(write(".text")).toBe("fault");
});
