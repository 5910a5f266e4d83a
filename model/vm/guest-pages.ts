// The host's own account of the pages of a guest: pinned for it, and given back by it.

import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type { HostReclaimPage, MemAbort } from "../../spec/types/guest-action.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** A page was mapped for the guest: it stays pinned until the guest or the VM is done with it. */
export const memAbort: Transition<MemAbort> = {
  name: "pkvm_mem_abort",
  source: [cite("android14-6.1", "pkvm_mem_abort, insert_ppage, arch/arm64/kvm/mmu.c")],
  guards: [
    {
      clause: "GUEST-13",
      permits: (_, { value }) => value === 0,
      refusal: (_, { value }) => returned(value),
    },
    // The tree has a page for the address: a warning, and the new one is not kept.
    {
      clause: "GUEST-14",
      permits: (hyp, { vm, gfn }) => hyp.vms.get(vm)?.pinned.has(gfn) === false,
      refusal: () => returned(negative("EEXIST")),
    },
  ],
  effect: (hyp, { vm, gfn, page }) => {
    hyp.vms.get(vm)?.pinned.set(gfn, page);
    return returned(0);
  },
};

/** The page whose address is exactly the one given is unpinned; without one there is a warning. */
export const hostReclaimPage: Transition<HostReclaimPage> = {
  name: "pkvm_host_reclaim_page",
  source: [
    cite("android14-6.1", "pkvm_host_reclaim_page, find_ppage, arch/arm64/kvm/pkvm.c"),
    cite("measured", "WARNING in pkvm_host_reclaim_page after an unaligned MEM_RELINQUISH"),
  ],
  guards: [
    {
      clause: "GUEST-15",
      permits: (hyp, { vm, ipa }) =>
        ipa % 4096n === 0n && hyp.vms.get(vm)?.pinned.has(Number(ipa >> 12n)) === true,
      refusal: () => returned(negative("ENOENT")),
    },
  ],
  effect: (hyp, { vm, ipa }) => {
    hyp.vms.get(vm)?.pinned.delete(Number(ipa >> 12n));
    return returned(0);
  },
};
