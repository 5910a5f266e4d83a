// What branches are known to do otherwise than is meant everywhere: the rules are in
// clauses/intent.ts and invariants/intent.ts.

import { BUILDS } from "./branches/branch.ts";
import { VENDOR_BRANCHES } from "./branches/branches.ts";
import type { Finding } from "./findings.ts";
import { cite } from "./sources.ts";

export const INTENT_FINDINGS: readonly Finding[] = [
  {
    rule: "DISP-55",
    by: "kernel",
    instead: "Registered ids are tried before the hint is removed; with it every id is unknown.",
    branches: ["android14-6.1", "mainline-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [
      cite("measured", "directed: 0xc6010009 is unknown"),
      cite("android14-6.1", "handle_host_hcall: the dynamic path looks at x0 with the hint"),
    ],
  },
  {
    rule: "LIFE-53",
    by: "kernel",
    instead: "The second call of a CPU answers -EINVAL.",
    branches: ["android17-6.18"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android17-6.18", "__pkvm_prot_finalize, hyp/nvhe/mem_protect.c")],
  },
  {
    rule: "LOAD-47",
    by: "kernel",
    instead: "The page is the host's again while EL2 still maps it, executable if it was.",
    branches: ["android14-6.1", "android15-6.6"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite("android14-6.1", "__pkvm_unmap_module_page, hyp/nvhe/mm.c: donates, then unmaps"),
    ],
  },
  {
    rule: "LOAD-49",
    by: "kernel",
    instead: "The load returns at once: the module is held for ever by nobody.",
    branches: ["android16-6.12", "android17-6.18"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite("android16-6.12", "__pkvm_load_el2_module, arch/arm64/kvm/pkvm.c: no module_put"),
    ],
  },
  {
    rule: "SMC-32",
    by: "kernel",
    instead: "Until the version is negotiated a call comes back with its registers as they were.",
    branches: ["android15-6.6"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android15-6.6", "kvm_host_ffa_handler, hyp/nvhe/ffa.c: no write-back")],
  },
  {
    rule: "OWN-80",
    by: "kernel",
    instead: "The number of pages loses its upper bits, and what is left of it is done.",
    branches: ["android14-6.1"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite("android14-6.1", "module_change_host_page_prot, hyp/nvhe/mem_protect.c: nr_pages << 12"),
    ],
  },
  {
    rule: "ABI-24",
    by: "kernel",
    instead: "map_module_page is declared and NULL: a module that calls it stops the system.",
    branches: ["android17-6.18"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android17-6.18", "module_ops, hyp/nvhe/modules.c: the slot is not set")],
  },
  {
    rule: "INV-38",
    by: "kernel",
    instead: "The token is the base of addresses that nothing is mapped at.",
    branches: ["android14-6.1", "android15-6.6", "android16-6.12"],
    builds: BUILDS,
    documented: true,
    evidence: "measured",
    source: [
      cite("measured", "mod-failinit: ret -22, and the token is the module's base all the same"),
      cite("android14-6.1", "__pkvm_load_el2_module: *token = hyp_va, arch/arm64/kvm/pkvm.c"),
    ],
  },
  {
    rule: "INV-35",
    by: "kernel",
    instead: "The addresses of a load that failed are never used again.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite("android14-6.1", "__pkvm_alloc_private_va_range, hyp/nvhe/mm.c: a bump allocator"),
    ],
  },
  {
    rule: "INV-36",
    by: "kernel",
    instead: "update_hcr_el2 and update_hfgwtr_el2 set the registers of the CPU that calls.",
    branches: ["android14-6.1", "android15-6.6", "android16-6.12"],
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [cite("android14-6.1", "__update_hcr_el2, hyp/nvhe/modules.c: this_cpu_ptr")],
  },
  {
    rule: "INV-37",
    by: "kernel",
    instead: "Until the key is set EL2 maps any page of the host's executable that the host names.",
    branches: VENDOR_BRANCHES,
    builds: BUILDS,
    documented: true,
    evidence: "read",
    source: [
      cite("android14-6.1", "__pkvm_map_module_page, hyp/nvhe/mm.c: the host is trusted till then"),
    ],
  },
];
