// The rest of the ABI in kdir's headers: context, registers, protections, hypercall ids, macros.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compile, compilers, describeWith, GCC_AND_MAKE, KDIR, KMIS } from "./toolchain.ts";

/** C constant expressions that must hold, for every KMI. Sources as noted. */
const EVERYWHERE: readonly string[] = [
  // asm/ptrace.h: 31 registers, then sp, pc, pstate.
  "sizeof(struct user_pt_regs) == 272",
  "offsetof(struct user_pt_regs, sp) == 248",
  "offsetof(struct user_pt_regs, pc) == 256",
  "offsetof(struct user_pt_regs, pstate) == 264",
  // asm/kvm_host.h: the registers stand first.
  "offsetof(struct kvm_cpu_context, regs) == 0",
  // asm/kvm_pgtable.h; bits 0 to 3 also measured (traces ops*, operation 7).
  "KVM_PGTABLE_PROT_X == 1",
  "KVM_PGTABLE_PROT_W == 2",
  "KVM_PGTABLE_PROT_R == 4",
  "KVM_PGTABLE_PROT_DEVICE == 8",
  "KVM_PGTABLE_PROT_RWX == 7",
  "PAGE_HYP == 6",
  "PAGE_HYP_EXEC == 5",
  "PAGE_HYP_RO == 4",
  // Arm DEN0028: fast call, SMC64, vendor hypervisor; only 16 bits of the number are kept.
  "KVM_HOST_SMCCC_ID(0) == 0xc6000000UL",
  "KVM_HOST_SMCCC_ID(128) == 0xc6000080UL",
  "KVM_HOST_SMCCC_ID(-12) == 0xc600fff4UL",
  "KVM_HOST_SMCCC_FUNC(__dynamic_hcalls) == 0xc6000080UL",
  // asm/kvm_pkvm_module.h: enum pkvm_psci_notification.
  "PKVM_PSCI_CPU_SUSPEND == 0",
  "PKVM_PSCI_SYSTEM_SUSPEND == 1",
  "PKVM_PSCI_CPU_ENTRY == 2",
  // include/linux/moduleparam.h, measured: __param has 0x50 bytes for two parameters.
  "sizeof(struct kernel_param) == 40",
  "sizeof(struct modversion_info) == 64",
];

const holds = (expressions: readonly string[]): string =>
  [
    "#include <linux/module.h>",
    "#include <asm/kvm_pkvm_module.h>",
    ...expressions.map((expression) => `static_assert(${expression});`),
    "",
  ].join("\n");

/** How each KMI's EL1 half loads, registers and calls: the macros' arguments differ. */
const USE: Readonly<Record<string, string>> = {
  "android14-6.1": "pkvm_load_el2_module(f, &t) | pkvm_register_el2_mod_call(g, t)",
  "android15-6.6": "pkvm_load_el2_module(f, &t) | pkvm_register_el2_mod_call(h, t)",
  "android16-6.12": "pkvm_load_el2_module(f, &t) | pkvm_register_el2_mod_call(h, t)",
  "android17-6.18": "pkvm_load_el2_module(f) | pkvm_register_el2_mod_call(h)",
};

const using = (use: string): string => `
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>
int f(const struct pkvm_module_ops *ops);
void g(struct kvm_cpu_context *context);
void h(struct user_pt_regs *regs);
extern unsigned long t;
long call(int id);
long call(int id)
{
	return ${use} | pkvm_el2_mod_call(id, 1, 2, 3, 4, 5, 6, 7) | pkvm_el2_mod_call(id);
}
`;

const { rows } = JSON.parse(readFileSync(join(KDIR, "struct-module.json"), "utf8"));

describe("struct-module.json", () => {
  it("has a row for each KMI, and the vendor's", () => {
    expect(Object.keys(rows)).toEqual([...KMIS, "vendor"]);
  });

  it("android14-6.1 has the measured size and vermagic", () => {
    expect(rows["android14-6.1"]).toMatchObject({
      size: 0x2c0,
      name: 0x18,
      vermagic: "6.1.145 SMP mod_unload aarch64",
    });
  });
});

describeWith(GCC_AND_MAKE, "struct-module.json agrees with the headers", () => {
  it.each([...KMIS, "vendor"])("%s", (name) => {
    const { size, init, exit, archHyp, hyp } = rows[name];
    const fields = Object.entries(hyp).filter(([field]) => field !== "size");
    const expressions = [
      `sizeof(struct module) == ${size}`,
      `offsetof(struct module, name) == ${rows[name].name}`,
      `offsetof(struct module, init) == ${init}`,
      `offsetof(struct module, exit) == ${exit}`,
      `offsetof(struct module, arch.hyp) == ${archHyp}`,
      `sizeof(struct pkvm_el2_module) == ${hyp.size}`,
      ...fields.map(([field, at]) => `offsetof(struct pkvm_el2_module, ${field}) == ${at}`),
    ];
    const vendor = name === "vendor";
    const kmi = vendor ? "android14-6.1" : name;
    const flags = vendor ? ["-DCONFIG_STRUCT_MODULE_vendor=1"] : [];
    const said = compile(holds(expressions), kmi, compilers[0]!, ...flags);
    expect(said).toEqual({ status: 0, text: "" });
  });
});

describeWith(GCC_AND_MAKE, "constants and macros", () => {
  describe.each(compilers)("by %s", (compiler) => {
    it.each(KMIS)("%s: sizes, offsets, protections and ids", (kmi) => {
      expect(compile(holds(EVERYWHERE), kmi, compiler)).toEqual({ status: 0, text: "" });
    });

    it.each(EVERYWHERE)("canary: the opposite of %s does not compile", (expression) => {
      const said = compile(holds([`!(${expression})`]), "android14-6.1", compiler);
      expect(said.status).not.toBe(0);
    });

    it.each(Object.entries(USE))("%s: %s", (kmi, use) => {
      expect(compile(using(use), kmi, compiler)).toEqual({ status: 0, text: "" });
    });

    it("android17-6.18 has no token, android14-6.1 needs one", () => {
      const old = using(USE["android14-6.1"]!);
      const recent = using(USE["android17-6.18"]!);
      expect(compile(old, "android17-6.18", compiler).status).not.toBe(0);
      expect(compile(recent, "android14-6.1", compiler).status).not.toBe(0);
    });
  });
});
