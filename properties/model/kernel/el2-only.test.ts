// Loading without the EL1 half: the functions that it names are started and registered.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { contentsOf, readElf, sectionNamed } from "../../../model/elf/read.ts";
import { hypSymbols } from "../../../model/kernel/hyp-symbols.ts";
import type { Run } from "../../../model/log.ts";
import { runScenario } from "../../../model/machine/run-scenario.ts";
import type { BootPlan, Scenario } from "../../../model/scenario.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";

const PAGE = "examples/page/pkvm_module.ko";
const file = new Uint8Array(
  readFileSync(fileURLToPath(new URL(`../../../${PAGE}`, import.meta.url))),
);

const scenarioOf = (faults: BootPlan["faults"]): Scenario => ({
  system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    ...bootOf("pkvm_module", []),
    initramfs: [{ name: "pkvm_module", file: PAGE, needs: [] }],
    faults,
  },
  actions: [],
});

/** The page's module, loaded as if there were no EL1 half. */
const loadedFrom = (bytes: Uint8Array, faults: BootPlan["faults"] = []): Run =>
  runScenario(scenarioOf(faults), new Map([[PAGE, bytes]]), { el2Only: true });

// examples/page/hyp/el2.c: pkvm_driver_hyp_init is the init, pkvm_driver_hyp_hvc the handler.
test("the page's module has one init and one handler", () => {
  const run = loadedFrom(file);
  const loaded = run.loaded.get("pkvm_module")!;
  const at = (name: string) =>
    loaded.values[loaded.file.elf.symbols.find((one) => one.name === name)?.index ?? -1];
  expect(hypSymbols(loaded)).toEqual({
    init: at("__kvm_nvhe_pkvm_driver_hyp_init"),
    handlers: [at("__kvm_nvhe_pkvm_driver_hyp_hvc")],
  });
  expect(run.final.dispatch.dynamicHcalls).toHaveLength(1);
  expect(run.unmodelled).toBeUndefined();
});

test("without a function whose name says init it stops with that", () => {
  const text = Buffer.from(file).toString("latin1");
  const renamed = text.replaceAll("pkvm_driver_hyp_init", "pkvm_driver_hyp_tini");
  expect(renamed).not.toBe(text);
  const run = loadedFrom(new Uint8Array(Buffer.from(renamed, "latin1")));
  expect(run.unmodelled).toMatch(/finds no EL2 init function$/);
});

/** The module with a .hyp.bss of three pages: its section header, number 3, has the size. */
function largerBss(): Uint8Array {
  const bytes = file.slice();
  const view = new DataView(bytes.buffer);
  const header = Number(view.getBigUint64(40, true)) + 64 * 3;
  expect(view.getUint32(header + 4, true), "SHT_NOBITS").toBe(8);
  view.setBigUint64(header + 32, 0x3000n, true);
  return bytes;
}

// Source: pkvm_map_module_section, arch/arm64/kvm/pkvm.c (android14-6.1): the pages of the section
// before the one that fails are unmapped, and then the sections before it.
test.each([0, 1, 2, 3])("when page %i cannot be mapped, no page of the module stays", (nth) => {
  const run = loadedFrom(largerBss(), [{ call: "__pkvm_map_module_page", nth, errno: "EPERM" }]);
  expect(run.final.boot.loadFailure).toBeDefined();
  expect([...run.final.el2.mappings.keys()]).toEqual([]);
  const kept = [...run.final.pages].filter(([, { hyp }]) => hyp === "OWNED");
  expect(kept.map(([page]) => page)).toEqual(
    [...loadedFrom(new Uint8Array(0)).final.pages].flatMap(([page, { hyp }]) =>
      hyp === "OWNED" ? [page] : [],
    ),
  );
});

test("all four pages of it are mapped when none fails", () => {
  expect(loadedFrom(largerBss()).final.el2.mappings.size).toBe(4);
});

// CHOICE: of a struct module whose layout nobody told us, the init is the one pointer in it that
// lies in .hyp.text.
test("a struct module of another size: the init that EL1 stored is found all the same", () => {
  const read = readElf(file);
  if (!read.ok) throw new Error(read.error);
  const section = sectionNamed(read.elf, ".gnu.linkonce.this_module")!;
  // It moves to the end of the file, where there is room for 64 bytes more.
  const end = Math.ceil(file.length / 64) * 64;
  const bytes = new Uint8Array(end + section.size + 64);
  bytes.set(file);
  bytes.set(contentsOf(read.elf, section), end);
  const view = new DataView(bytes.buffer);
  const header = Number(view.getBigUint64(40, true)) + 64 * section.index;
  view.setBigUint64(header + 24, BigInt(end), true);
  view.setBigUint64(header + 32, BigInt(section.size + 64), true);
  const run = runScenario(scenarioOf([]), new Map([[PAGE, bytes]]));
  expect(run.final.boot.loadFailure).toBeUndefined();
  expect(run.final.dispatch.dynamicHcalls).toHaveLength(1);
});
