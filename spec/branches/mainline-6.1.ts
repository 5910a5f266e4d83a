// mainline-6.1, complete: measured on Debian's kernel 6.1.192-2, unmodified.

import { cite } from "../sources.ts";
import type { Branch } from "./branch.ts";

/** host_hcall[] in order, as the running kernel numbers it. */
const HCALLS: readonly string[] = [
  "__kvm_hyp_init", // 0
  "__kvm_get_mdcr_el2",
  "__pkvm_init",
  "__pkvm_create_private_mapping",
  "__pkvm_cpu_set_vector",
  "__kvm_enable_ssbs",
  "__vgic_v3_init_lrs",
  "__vgic_v3_get_gic_config",
  "__pkvm_prot_finalize",
  "__pkvm_host_share_hyp",
  "__pkvm_host_unshare_hyp", // 10
  "__kvm_adjust_pc",
  "__kvm_vcpu_run",
  "__kvm_flush_vm_context",
  "__kvm_tlb_flush_vmid_ipa",
  "__kvm_tlb_flush_vmid",
  "__kvm_flush_cpu_context",
  "__kvm_timer_set_cntvoff",
  "__vgic_v3_read_vmcr",
  "__vgic_v3_write_vmcr",
  "__vgic_v3_save_aprs", // 20
  "__vgic_v3_restore_aprs",
  "__pkvm_vcpu_init_traps",
];

/** mainline-6.1: pKVM without vendor modules. */
export const MAINLINE_6_1: Branch = {
  name: "mainline-6.1",
  evidence: "measured",
  source: [
    cite("measured", "host-hypercall-ids.debian-6.1.192: numbers 1 to 22; base: 23 is unknown"),
    cite("measured", "base, random, peek, poke, create of debian-6.1.192-stock"),
    cite("mainline-6.1", "do_share, do_unshare, host_stage2_idmap, hyp/nvhe/mem_protect.c"),
  ],
  hcalls: HCALLS,
  hcallsEvidence: "measured",
  vendorModules: false,
  dynamicBase: undefined,
  dynamicHcallMax: 0,
  ops: [],
  nullOps: [],
  mappedSections: [],
  handlerContext: "none",
  dispatcherSetsX0: false,
  unknownDynamicId: "falls to the static table",
  hintMaskedBeforeDynamic: false,
  dynamicIdTruncated: false,
  finaliseTwice: "EPERM",
  reserveRefused: "ENOMEM",
  reserveFailed: "ENOMEM",
  unmapsFromUnshiftedTable: false,
  unmapOrder: "none",
  clearedFirmwareStillAdvertised: false,
  dropFailure: "log",
  handlersPerType: 0,
  multiSlotCallbacks: [],
  loadTakesToken: false,
  moduleAddressChecked: false,
  initArgument: "none",
  privateAlignment: "none",
  directRange: false,
  importsBetweenModules: false,
  closingCheck: "none",
  dmaIsolatedBy: "none",
  finalizeAsksKvmInitialised: false,
  smc: {
    evidence: "measured",
    ffa: "forwarded",
    ffaRegisters: 4,
    immediateRefused: false,
    upperBitsRefused: true,
    hintMasked: false,
    poisonsFirmware: false,
  },
  addressChecks: {
    evidence: "measured",
    overflow: "ERANGE",
    beyond: "ERANGE",
    mappedDevice: "EINVAL",
    untouchedDevice: "shared",
  },
  foreignPageAbort: "HOST_ABORT_UNHANDLED",
  protectedVms: false,
  layout: {
    evidence: "measured",
    vaBits: 48,
    carveOut: { first: 0x7f200, last: 0x7fbff },
    linearMapBase: 0xffff_0000_0000_0000n,
    reportedMode: "nVHE",
    touchedDevices: [{ first: 0x0, last: 0x3ffff }],
  },
};
