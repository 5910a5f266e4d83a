// Console texts of the hypervisor's death, and the reason that each stands for.

import type { PanicReason } from "../../spec/types/outcome.ts";

/**
 * The syndrome of a failed check inside the hypervisor: BRK #0x800. Source: measured, all "BUG at"
 * panics.
 */
export const BUG_ESR = 0xf200_0800n;

/** Source: measured console records; the two builds name the same check differently. */
const REASONS: readonly (readonly [RegExp, PanicReason])[] = [
  [/^hyp BUG at: mm\.c:126$/, "BAD_HCALL_ADDRESS"],
  [/^hyp panic at: address without a symbol$/, "BAD_HCALL_ADDRESS"],
  [/^hyp BUG at: mm\.c:211$/, "UNMAP_NOT_OWNED"],
  [/^hyp BUG at: __kvm_nvhe___pkvm_unmap_module_page$/, "UNMAP_NOT_OWNED"],
  [/^hyp BUG at: __kvm_nvhe_do_donate$/, "DONATE_MAP_FAILED"],
  [/^hyp BUG at: pkvm\.c:853$/, "TEARDOWN_WHILE_LOADED"],
  [/^hyp BUG at: __kvm_nvhe___pkvm_start_teardown_vm$/, "TEARDOWN_WHILE_LOADED"],
  [/^hyp BUG at: __kvm_nvhe_handle_host_mem_abort$/, "HOST_ABORT_UNHANDLED"],
];

/** The abstract reason of a console text that names where EL2 died; undefined for other texts. */
export function panicReasonOf(console: string): PanicReason | "a reason nobody knows" | undefined {
  if (!/^hyp (?:BUG|panic) at:/.test(console)) return undefined;
  return REASONS.find(([text]) => text.test(console))?.[1] ?? "a reason nobody knows";
}
