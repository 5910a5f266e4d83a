// The MMIO guard of a protected guest: which pages the host may emulate.

import { cite } from "../../spec/sources.ts";
import type { GuestHvc } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after } from "../../spec/types/outcome.ts";
import type { Guard } from "../transition.ts";
import { loadedOn } from "../vm/loaded.ts";
import { guardPage, unmapPage } from "../vm/stage2.ts";
import { argument, type GuestCall, gfnOf, INVALID, running, toGuest, toHost } from "./answers.ts";

const vmOn = (hyp: Hyp, { cpu }: GuestHvc): HypVm | undefined => loadedOn(hyp, cpu)?.vm;

export const guardEnroll: GuestCall = {
  name: "mmio_guard_enroll",
  source: [
    cite("android14-6.1", "kvm_handle_pvm_hvc64: KVM_ARCH_FLAG_MMIO_GUARD"),
    cite("measured", "pvm-peek: 0, and 0 again"),
  ],
  guards: [],
  effect: (hyp, { cpu }) => {
    running(hyp, cpu).vm.mmioGuard = true;
    return toGuest(0n);
  },
};

const enrolled: Guard<GuestHvc> = {
  clause: "GUEST-30",
  permits: (hyp, call) => vmOn(hyp, call)?.mmioGuard === true,
  refusal: INVALID,
};

/** The call is made again when the host has brought memory for a table. */
export const guardMap: GuestCall = {
  name: "__pkvm_install_ioguard_page",
  source: [
    cite("android14-6.1", "__pkvm_install_ioguard_page, hyp/nvhe/mem_protect.c"),
    cite("android14-6.1", "pkvm_install_ioguard_page, hyp/nvhe/pkvm.c: -ENOMEM goes to the host"),
    cite("measured", "pvm-peek: -3 before ENROLL, between pages, on a page that is there"),
  ],
  guards: [
    enrolled,
    {
      clause: "GUEST-31",
      permits: (_, call) => (argument(call, 1) & 0xfffn) === 0n,
      refusal: INVALID,
    },
    {
      clause: "GUEST-32",
      permits: (_, call) => gfnOf(argument(call, 1)) !== undefined,
      refusal: INVALID,
    },
    {
      clause: "GUEST-33",
      permits: (hyp, call) => {
        const gfn = gfnOf(argument(call, 1));
        return gfn === undefined || vmOn(hyp, call)?.stage2.pages.has(gfn) !== true;
      },
      refusal: INVALID,
    },
  ],
  effect: (hyp, call) => {
    const { vm, vcpu } = running(hyp, call.cpu);
    const gfn = gfnOf(argument(call, 1)) ?? -1;
    if (vm.stage2.guarded.has(gfn)) return toGuest(0n);
    const events: MemoryEvent[] = [];
    if (guardPage(vm.stage2, vcpu, gfn, events)) return after(events, toGuest(0n));
    return after(events, { ...toHost(call, 4), again: true } as ReturnType<typeof toHost>);
  },
};

export const guardUnmap: GuestCall = {
  name: "__pkvm_remove_ioguard_page",
  source: [
    cite("android14-6.1", "__pkvm_remove_ioguard_page, hyp/nvhe/mem_protect.c"),
    cite("measured", "pvm-peek: 0 for pages never mapped and between pages"),
  ],
  guards: [enrolled],
  effect: (hyp, call) => {
    const { vm } = running(hyp, call.cpu);
    const gfn = gfnOf(argument(call, 1));
    const events: MemoryEvent[] = [];
    if (gfn !== undefined && vm.stage2.guarded.has(gfn)) unmapPage(vm.stage2, gfn, events);
    return after(events, toGuest(0n));
  },
};
