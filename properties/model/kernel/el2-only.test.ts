// Loading without the EL1 half: the functions that it names are started and registered.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { hypSymbols } from "../../../model/kernel/hyp-symbols.ts";
import type { Run } from "../../../model/log.ts";
import { runScenario } from "../../../model/machine/run-scenario.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";

const PAGE = "examples/page/pkvm_module.ko";
const file = new Uint8Array(
  readFileSync(fileURLToPath(new URL(`../../../${PAGE}`, import.meta.url))),
);

/** The page's module, loaded as if there were no EL1 half. */
function loadedFrom(bytes: Uint8Array): Run {
  const scenario = {
    system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
    boot: {
      ...bootOf("pkvm_module", []),
      initramfs: [{ name: "pkvm_module", file: PAGE, needs: [] }],
    },
    actions: [],
  } as const;
  return runScenario(scenario, new Map([[PAGE, bytes]]), { el2Only: true });
}

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
