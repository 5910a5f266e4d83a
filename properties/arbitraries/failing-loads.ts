// Loads that fail, one for each stage that can fail by itself, and boots that do not fail.

import { type BootPlan, guestLife, type HostAction, type Scenario } from "../../model/scenario.ts";
import type { Errno } from "../../spec/types/errno.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { FIRMWARE_BYTES } from "./boot.ts";
import { exampleOf } from "./examples.ts";

/** One boot with a name, what it tries, and what becomes of the load. */
export interface DirectedBoot {
  readonly name: string;
  /** The stage that fails; undefined where none does. */
  readonly stage: string | undefined;
  readonly boot: BootPlan;
}

/** The initramfs with these modules, and a command line that asks for `list`. */
export function bootOf(
  list: string,
  modules: readonly string[],
  others: Partial<Omit<BootPlan, "initramfs" | "commandLine">> & { words?: string } = {},
): BootPlan {
  const { words = "", ...plan } = others;
  return {
    commandLine: `kvm-arm.mode=protected kvm-arm.protected_modules=${list} ${words}`.trim(),
    firmwareBytes: FIRMWARE_BYTES,
    modprobe: "stand-in",
    modulePath: "",
    initramfs: modules.map((name) => ({ name, file: exampleOf(name).file, needs: [] })),
    faults: [],
    ...plan,
  };
}

const fails = (stage: string, name: string, boot: BootPlan): DirectedBoot => ({
  name,
  stage,
  boot,
});
const alone = (stage: string, module: string): DirectedBoot =>
  fails(stage, module, bootOf(module, [module]));

const faulty = (
  call: BootPlan["faults"][number]["call"],
  nth: number,
  errno: Errno,
): Pick<BootPlan, "faults"> => ({ faults: [{ call, nth, errno }] });

/** Every stage at which a load fails, each on its own. */
export const FAILING_LOADS: readonly DirectedBoot[] = [
  fails("modprobe cannot be started", "exec fails", {
    ...bootOf("pkvm_module", ["pkvm_module"], faulty("call_usermodehelper_exec", 0, "ENOMEM")),
  }),
  fails("no such file", "nosuch", bootOf("nosuch", ["pkvm_module"])),
  fails("no such file", "second of two", bootOf("pkvm_module,nosuch", ["pkvm_module"])),
  alone("the ELF file is refused", "corrupted_elf"),
  alone("the ELF file is refused", "truncated"),
  alone("no .hyp.reloc", "missing_hyp_reloc"),
  alone("unknown symbol", "unresolved_symbol"),
  alone("unknown symbol", "vendor_unknown_api"),
  fails("loaded already", "named twice", bootOf("ovm,ovm", ["ovm"], { words: "ovm.seq=load" })),
  fails(
    "no EL2 addresses",
    "reservation fails",
    bootOf("pkvm_module", ["pkvm_module"], faulty("__pkvm_alloc_module_va", 0, "ENOMEM")),
  ),
  ...[0, 1, 2, 3].map((nth) =>
    fails(
      "a page cannot be mapped",
      `page ${nth} fails`,
      bootOf("ovm", ["ovm"], {
        words: "ovm.seq=load",
        ...faulty("__pkvm_map_module_page", nth, "EPERM"),
      }),
    ),
  ),
  fails(
    "a page is the hypervisor's",
    "loaded twice by itself",
    bootOf("ovm", ["ovm"], { words: "ovm.seq=load,load" }),
  ),
  alone("EL2 init fails", "el2_init_fails"),
  fails("EL2 init fails", "loadfail", bootOf("ovm", ["ovm"], { words: "ovm.seq=loadfail,cont" })),
  alone("EL2 init fails, a section is absent", "el2_init_fails_textonly"),
  alone("EL2 init registers, then fails", "el2_init_registers_then_fails"),
  alone("EL1 init fails after a good load", "el1_init_fails_after_load"),
  alone("the table of hypercalls is full", "registers_until_full"),
];

/** Boots in which nothing fails. */
export const GOOD_BOOTS: readonly DirectedBoot[] = [
  { name: "the page's module", stage: undefined, boot: bootOf("pkvm_module", ["pkvm_module"]) },
  { name: "an empty list", stage: undefined, boot: bootOf("", ["pkvm_module"]) },
  {
    name: "DMA isolated",
    stage: undefined,
    boot: bootOf("ovm", ["ovm"], { words: "ovm.seq=load,reg,iommufin" }),
  },
  {
    name: "every callback registered",
    stage: undefined,
    boot: bootOf("ovm", ["ovm"], { words: "ovm.seq=loadregs,regops" }),
  },
  {
    name: "NULL registered and called",
    stage: undefined,
    boot: bootOf("ovm", ["ovm"], { words: "ovm.seq=load,regbad0,raw12,call128" }),
  },
  {
    name: "a CPU finalised before the kernel does it",
    stage: undefined,
    boot: bootOf("ovm", ["ovm"], { words: "ovm.seq=call17,load,reg" }),
  },
  {
    name: "a handler that waits for another",
    stage: undefined,
    boot: bootOf("handler_never_returns", ["handler_never_returns"]),
  },
  ...["nvhe", "none"].map((mode) => ({
    name: `kvm-arm.mode=${mode}`,
    stage: undefined,
    boot: bootOf("pkvm_module", ["pkvm_module"], { words: `kvm-arm.mode=${mode}` }),
  })),
];

const hvc = (cpu: number, n: number, ...args: readonly bigint[]): HostAction => ({
  kind: "hvc",
  cpu,
  imm: 0,
  x: [0xc600_0000n + BigInt(n), ...args],
});

/**
 * What a host does that wants to know what a failed load left: both CPUs, a protected VM, the
 * module again.
 */
const PROBE: readonly HostAction[] = [
  hvc(0, 128, 0xbadn, 0x22n),
  hvc(1, 128, 0xbadn, 0x22n),
  ...guestLife(0, 0x8000_0000, "off", 0x8000_0000n),
  { kind: "KVM_SET_FW_IPA", vm: 0, ipa: 0x8000_0000n },
  { kind: "KVM_CLOSE", vm: 0 },
  { kind: "KVM_CREATE_VM", vm: 1, type: 0 },
  { kind: "KVM_SET_FW_IPA", vm: 1, ipa: 0n },
  ...[8n, 9n, 9n, 10n, 10n, 11n, 11n, 12n, 12n, 15n].map((op) => hvc(0, 128, op, 1n)),
  { kind: "insmod", cpu: 1, name: "pkvm_module", parameters: "" },
  { kind: "rmmod", name: "pkvm_module" },
  { kind: "rmmod", name: "ovm" },
  hvc(0, 17),
];

/** A directed boot with the probe after it. */
export const probed = (system: SystemConfig, { boot }: DirectedBoot): Scenario => ({
  system,
  boot,
  actions: PROBE,
});
