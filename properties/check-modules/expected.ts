// What `check` is to find in the examples, read from their sources.

/** What is wrong with an example, as its source and the documentation of the kernel say it. */
export interface Expected {
  readonly module: string;
  readonly rule: string;
  /** The statement that does it, as it stands in the source of that half. */
  readonly line: string;
  readonly half?: "el1";
  /** The fewest actions of the host that lead there. */
  readonly actions: number;
  /** What other CPUs must do inside the last of them. */
  readonly meanwhile?: number;
  readonly cmdline?: string;
}

export const OVM = "kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=load,regops";

export const EXPECTED: readonly Expected[] = [
  // A page is shared; the fill of one page writes the next, which EL2 does not map.
  { module: "off_by_one_page_count", rule: "MOD-1", line: "PAGE_SIZE) = i;", actions: 2 },
  // Share, then the refused page twice: each time a pin more.
  { module: "missing_unpin", rule: "MOD-12", line: "ops->pin_shared_mem(", actions: 3 },
  { module: "missing_unpin", rule: "MOD-17", line: "ops->pin_shared_mem(", actions: 2 },
  // Two pages are offered, and the second is refused.
  { module: "donation_kept", rule: "MOD-17", line: "ops->host_donate_hyp(", actions: 2 },
  // Nothing is done: the boot ends in it.
  { module: "early_mapping_kept", rule: "MOD-16", line: "ops->linear_map_early(", actions: 0 },
  { module: "length_overflow", rule: "MOD-1", line: "sum += *from++", actions: 1 },
  { module: "host_held_pointer", rule: "MOD-1", line: "handle->users = 0", actions: 1 },
  { module: "host_held_pointer", rule: "MOD-5", line: "handle->users = 0", actions: 1 },
  // Share an empty page, peek.
  { module: "forgotten_fixmap_unmap", rule: "MOD-7", line: "ops->fixmap_map(", actions: 2 },
  { module: "handler_table_overrun", rule: "MOD-1", line: "functions[number](", actions: 1 },
  // Share, attach, send; in between the length grows.
  { module: "double_fetch", rule: "MOD-1", line: "ops->memcpy(copy", actions: 3, meanwhile: 1 },
  // Share, attach, count; in between a detach.
  { module: "race_between_cpus", rule: "MOD-5", line: "ring->count++", actions: 3, meanwhile: 1 },
  { module: "patches_itself", rule: "MOD-11", line: "create_private_mapping(TEXT", actions: 0 },
  { module: "returns_stack_bytes", rule: "MOD-13", line: "= reply.reserved", actions: 1 },
  // Share, trace.
  { module: "padding_in_shared_memory", rule: "MOD-14", line: "ops->memcpy(", actions: 2 },
  { module: "later_branch_op", rule: "MOD-6", line: "ops->hyp_smp_processor_id(", actions: 1 },
  { module: "later_branch_op", rule: "MOD-1", line: "ops->hyp_smp_processor_id(", actions: 1 },
  { module: "null_op", rule: "MOD-6", line: "ops->map_module_page(", actions: 0 },
  { module: "null_op", rule: "MOD-1", line: "ops->map_module_page(", actions: 0 },
  { module: "ignored_errno", rule: "MOD-15", line: "ops->host_stage2_mod_prot(", actions: 1 },
  // The second page is refused, and so is giving the first one back.
  { module: "ignored_rollback", rule: "MOD-15", line: "ops->host_unshare_hyp(", actions: 1 },
  { module: "answers_in_x0", rule: "MOD-4", line: "cpu_reg(ctx, 0) =", actions: 1 },
  { module: "x0_left_alone", rule: "MOD-4", line: "} /* x0", actions: 1 },
  { module: "host_pointer_deref", rule: "MOD-1", line: "= *mailbox", actions: 1 },
  { module: "host_pointer_deref", rule: "MOD-5", line: "= *mailbox", actions: 1 },
  { module: "handler_never_returns", rule: "MOD-2", line: "while (smp_load_acquire", actions: 1 },
  { module: "smc_service", rule: "MOD-1", line: "service.functions[number](", actions: 1 },
  { module: "abort_decodes_insn", rule: "MOD-1", line: "write = !(*insn", actions: 1 },
  // Two suspends that come back; off, and started with a pointer.
  { module: "psci_saved_state", rule: "MOD-2", line: "while (__atomic_exchange_n", actions: 2 },
  { module: "psci_saved_state", rule: "MOD-1", line: "control = saved->control", actions: 2 },
  { module: "trap_unknown_register", rule: "MOD-20", line: "} /* trapped", actions: 1 },
  // A page is sealed, then written by a pair.
  { module: "perm_fault_errno", rule: "MOD-20", line: "return -EINVAL", actions: 2 },
  // Where what the inits return was made.
  { module: "el2_init_registers_then_fails", rule: "MOD-8", line: "return -EIO", actions: 0 },
  {
    module: "el1_init_fails_after_load",
    rule: "MOD-9",
    half: "el1",
    line: "return -ENODEV",
    actions: 0,
  },
  {
    module: "registers_until_full",
    rule: "MOD-9",
    half: "el1",
    line: "pkvm_register_el2_mod_call(",
    actions: 0,
  },
  { module: "failed_load_ignored", rule: "MOD-10", half: "el1", line: "} /* with", actions: 0 },
  { module: "bug_on_failed_load", rule: "MOD-3", half: "el1", line: "BUG_ON(", actions: 0 },
  { module: "ovm", rule: "MOD-5", line: "case 23:", actions: 1, cmdline: OVM },
  { module: "ovm", rule: "MOD-5", line: "case 24:", actions: 1, cmdline: OVM },
];

/** Modules with which nothing is wrong. */
export const RIGHT: readonly string[] = [
  "pkvm_module",
  "ovmt",
  "shared_buffer",
  "smc_filter",
  "serial_driver",
  "watches_the_host",
];

/** What comes back to the host and is an address of EL2: the function and the register. */
export interface ExpectedNote {
  readonly module: string;
  readonly cmdline?: string;
  readonly function: string;
  /** The statement that puts it there. */
  readonly line: string;
  readonly register: number;
}

/** Everything that these return is in their own sections. */
export const EXPECTED_NOTES: readonly ExpectedNote[] = [
  // A function of the SMC service tells where its state is.
  { module: "smc_service", function: "where", line: "(u64)&state;", register: 2 },
  // The handle is the address of the session.
  { module: "host_held_pointer", function: "session_open", line: "&session;", register: 1 },
  // Op 28 answers where its constant, its counters and the handler itself are.
  { module: "ovm", cmdline: OVM, function: "ovm_ops", line: "R(1) = r;", register: 1 },
  { module: "ovm", cmdline: OVM, function: "ovm_ops", line: "case 28:", register: 2 },
  { module: "ovm", cmdline: OVM, function: "ovm_ops", line: "case 28:", register: 3 },
];

export const NOTED_CLASS = "address in the module's EL2 memory";
