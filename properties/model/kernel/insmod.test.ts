// insmod after boot: a name without a file, a module without an init, a call that is made twice.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { runChecked } from "../../../counterexamples/run-checked.ts";
import { RELA_SIZE } from "../../../model/elf/elf-abi.ts";
import { readElf } from "../../../model/elf/read.ts";
import { kernelLinear } from "../../../model/machine/layout.ts";
import type { HostAction } from "../../../model/scenario.ts";
import { ANDROID14_6_1 } from "../../../spec/branches/android14-6.1.ts";
import { firstDynamicId, hostSmcccId } from "../../../spec/branches/branches.ts";
import { addressOf, pfn } from "../../../spec/types/address.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";

const SYSTEM = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;

const bytesOf = (path: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url))));

/** Boots with a module in the initramfs, which the command line may name, and does the actions. */
function afterBoot(name: string, bytes: Uint8Array, actions: readonly HostAction[], named = "") {
  const modules = named === "" ? "" : ` kvm-arm.protected_modules=${named}`;
  const boot = {
    ...bootOf(name, []),
    commandLine: `kvm-arm.mode=protected${modules}`,
    initramfs: [{ name, file: name, needs: [] }],
  };
  return runChecked({ system: SYSTEM, boot, actions }, new Map([[name, bytes]]), { watch: true });
}

const insmod = (name: string): HostAction => ({ kind: "insmod", cpu: 0, name, parameters: "" });

/** What insmod answers, and what the init is said to have answered. */
function answersOf(name: string, bytes: Uint8Array, asked: string) {
  const { run, steps } = afterBoot(name, bytes, [insmod(asked)]);
  expect(run.unmodelled).toBeUndefined();
  const insmods = run.log.flatMap((event) =>
    event.kind === "answer" && event.of === "insmod" ? [event.value] : [],
  );
  const inits = steps.flatMap(({ action }) =>
    action.kind === "module_init_returned" ? [action.value] : [],
  );
  return { insmods, inits };
}

/** The relocation that puts init_module into struct module is made R_AARCH64_NONE. */
function withoutInit(file: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(file);
  const view = new DataView(bytes.buffer);
  const read = readElf(bytes);
  if (!read.ok) throw new Error("it is no ELF file");
  const { sections, symbols } = read.elf;
  const table = sections.find(({ name }) => name === ".rela.gnu.linkonce.this_module");
  if (table === undefined) throw new Error("it has no such table");
  for (let at = table.offset; at < table.offset + table.size; at += RELA_SIZE) {
    const symbol = symbols[view.getUint32(at + 12, true)];
    if (symbol?.name === "init_module") view.setUint32(at + 8, 0, true);
  }
  return bytes;
}

const PLAIN = bytesOf("examples/plain-module/plain_module.ko");

// open() finds nothing: -ENOENT.
test("a name without a file is -ENOENT", () => {
  expect(answersOf("plain_module", PLAIN, "nosuch")).toEqual({ insmods: [-2], inits: [] });
});

// do_init_module, kernel/module/main.c: no init is no failure.
test("a module without an init is loaded, and the answer is 0", () => {
  const changed = withoutInit(PLAIN);
  expect(changed).not.toEqual(PLAIN);
  expect(answersOf("plain_module", changed, "plain_module")).toEqual({ insmods: [0], inits: [0] });
});

// examples/missing-unpin: a page without the magic number stays pinned, once more at each call.
test("a call that is made twice is held against what the first one kept", () => {
  const page = pfn(0x5_0000);
  const share = BigInt(ANDROID14_6_1.hcalls.indexOf("__pkvm_host_share_hyp"));
  const address = kernelLinear(ANDROID14_6_1, addressOf(page));
  const hvc = (...x: readonly bigint[]): HostAction => ({ kind: "hvc", cpu: 0, imm: 0, x });
  const call = hvc(hostSmcccId(firstDynamicId(ANDROID14_6_1)), address);
  const { run, violations } = afterBoot(
    "missing_unpin",
    bytesOf("examples/missing-unpin/missing_unpin.ko"),
    [hvc(hostSmcccId(Number(share)), BigInt(page)), call, call],
    "missing_unpin",
  );
  expect(run.unmodelled).toBeUndefined();
  expect(violations.map(({ rule }) => rule)).toContain("MOD-12");
});
