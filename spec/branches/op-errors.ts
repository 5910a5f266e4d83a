// Which errors each op of struct pkvm_module_ops can give on a branch, whatever its arguments are.

import { cite, type Evidence, type Source } from "../sources.ts";
import type { Errno } from "../types/errno.ts";
import type { BranchName } from "./branch.ts";

/** What one op answers where it fails. */
export interface OpErrors {
  readonly op: string;
  /** Most usual first. */
  readonly errnos: readonly Errno[];
  /** It answers NULL, and the errno is only why. */
  readonly isNull?: true;
  /** The branches on which it gives them; every vendor branch that has the op, where absent. */
  readonly on?: readonly BranchName[];
  /** How the whole row is known. */
  readonly evidence: Evidence;
  readonly source: readonly Source[];
}

const LATER: readonly BranchName[] = ["android15-6.6", "android16-6.12", "android17-6.18"];

const registrations = [
  "register_serial_driver",
  "register_host_perm_fault_handler",
  "register_host_smc_handler",
  "register_guest_smc_handler",
  "register_default_trap_handler",
  "register_illegal_abt_notifier",
  "register_psci_notifier",
  "register_hyp_panic_notifier",
].map(
  (op): OpErrors => ({
    op,
    errnos: ["EBUSY"],
    evidence: "read",
    source: [cite("android14-6.1", "hyp/nvhe: cmpxchg of a slot that another module took")],
  }),
);

/**
 * By op. A failing update of the host's tables is a panic and no answer before 6.18; where a table
 * is out of pages -ENOMEM is real.
 */
export const OP_ERRORS: readonly OpErrors[] = [
  {
    op: "create_private_mapping",
    errnos: ["ENOMEM", "EINVAL"],
    evidence: "read",
    source: [
      cite("android14-6.1", "__pkvm_create_private_mapping, hyp/nvhe/mm.c"),
      cite("measured", "mod-ok: prot 0x44 is -EINVAL"),
    ],
  },
  {
    op: "alloc_module_va",
    errnos: ["ENOMEM"],
    isNull: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_alloc_module_va, hyp/nvhe/mm.c")],
  },
  ...["map_module_page", "map_module_pages"].map(
    (op): OpErrors => ({
      op,
      errnos: ["EPERM", "EINVAL", "ENOMEM"],
      evidence: "read",
      source: [cite("android14-6.1", "__pkvm_map_module_page, hyp/nvhe/mm.c")],
    }),
  ),
  {
    op: "unmap_module_pages",
    errnos: ["EINVAL"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_unmap_module_pages, hyp/nvhe/mm.c")],
  },
  {
    op: "linear_map_early",
    errnos: ["ENOMEM"],
    isNull: true,
    evidence: "read",
    source: [cite("android14-6.1", "__pkvm_linear_map_early, hyp/nvhe/modules.c")],
  },
  {
    op: "host_stage2_mod_prot",
    errnos: ["EPERM", "EINVAL"],
    evidence: "read",
    source: [cite("android14-6.1", "module_change_host_page_prot, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "host_stage2_mod_prot",
    errnos: ["ENOMEM"],
    on: ["android17-6.18"],
    evidence: "read",
    source: [cite("android17-6.18", "module_change_host_page_prot, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "host_stage2_mod_prot_range",
    errnos: ["EPERM", "EINVAL"],
    evidence: "read",
    source: [cite("android14-6.1", "module_change_host_page_prot_range, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "host_stage2_get_leaf",
    errnos: ["ERANGE"],
    evidence: "read",
    source: [cite("android14-6.1", "kvm_pgtable_walk, hyp/pgtable.c: beyond ia_bits")],
  },
  {
    op: "host_donate_hyp",
    errnos: ["EPERM", "ENOMEM"],
    evidence: "read",
    source: [cite("android14-6.1", "do_donate, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "host_donate_hyp",
    errnos: ["EINVAL"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_host_donate_hyp_locked: refcount, overflow")],
  },
  {
    op: "host_donate_hyp_prot",
    errnos: ["EPERM", "EINVAL", "ENOMEM"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_host_donate_hyp_locked: refcount, overflow")],
  },
  {
    op: "host_donate_sglist_hyp",
    errnos: ["EPERM", "EINVAL", "ENOMEM"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_host_donate_sglist_hyp, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "hyp_donate_host",
    errnos: ["EPERM"],
    evidence: "read",
    source: [cite("android14-6.1", "do_donate, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "hyp_donate_host",
    errnos: ["EINVAL"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_hyp_donate_host: overflow")],
  },
  {
    op: "host_share_hyp",
    errnos: ["EPERM"],
    evidence: "read",
    source: [cite("android14-6.1", "do_share, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "host_share_hyp",
    errnos: ["EINVAL"],
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "__pkvm_host_share_hyp: refcount")],
  },
  {
    op: "host_unshare_hyp",
    errnos: ["EPERM", "EBUSY"],
    evidence: "read",
    source: [cite("android14-6.1", "do_unshare, hyp_ack_unshare, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "pin_shared_mem",
    errnos: ["EPERM"],
    evidence: "read",
    source: [cite("android14-6.1", "hyp_pin_shared_mem, hyp/nvhe/mem_protect.c")],
  },
  {
    op: "pin_shared_mem",
    errnos: ["ENOMEM"],
    on: ["android17-6.18"],
    evidence: "read",
    source: [cite("android17-6.18", "hyp_pin_shared_mem: the first pin maps")],
  },
  {
    op: "hyp_alloc",
    errnos: ["ENOMEM"],
    isNull: true,
    on: LATER,
    evidence: "read",
    source: [cite("android16-6.12", "hyp_alloc, hyp/nvhe/alloc.c")],
  },
  ...registrations,
];

/** The errors of an op on a branch, the most usual first; none where it cannot fail. */
export const opErrnos = (branch: BranchName, op: string): readonly Errno[] =>
  OP_ERRORS.filter((row) => row.op === op && (row.on?.includes(branch) ?? true)).flatMap(
    ({ errnos }) => errnos,
  );

/** Whether an op fails with NULL. */
export const failsWithNull = (op: string): boolean =>
  OP_ERRORS.some((row) => row.op === op && row.isNull === true);
