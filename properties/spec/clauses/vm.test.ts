// The clauses about virtual machines, each on steps made by hand.

import { VM } from "../../../spec/clauses/vm.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import {
  answering,
  type Case,
  DEPRIVILEGED,
  leaving,
  like,
  POWER_ON,
  returned,
  step,
  takesPage,
  tryClauses,
  vmLike,
} from "../tried.ts";

const PROTECTED = 0x8000_0000;
const create = (type: number) => ({ kind: "KVM_CREATE_VM", vm: 0, type }) as const;
const setFirmware = (vm: number) => ({ kind: "KVM_SET_FW_IPA", vm, ipa: 0x8000_0000n }) as const;
const starting = (value: number) => ({ kind: "pkvm_create_hyp_vm", vm: 0, value }) as const;
const CLOSE = { kind: "KVM_CLOSE", vm: 0 } as const;

const withVm = (hyp: Hyp, vm: Parameters<typeof vmLike>[0] = {}): Hyp =>
  like(hyp, (h) => {
    h.vms.set(0, vmLike(vm));
  });
const withMode = (mode: "none" | "nvhe"): Hyp =>
  like(POWER_ON, (h) => {
    h.boot.mode = mode;
  });
const withImage = like(DEPRIVILEGED, (h) => {
  h.firmware.content = "image";
  h.firmware.advertisedBytes = 0x100000;
});
const afterFailure = like(DEPRIVILEGED, (h) => {
  h.boot.loadFailure = { name: "mod2", status: 256 };
});
const makes = (h: Parameters<Parameters<typeof like>[1]>[0]) => {
  h.vms.set(0, vmLike());
};
const refusing = (pre: Hyp, action: Parameters<typeof step>[1], errno: number): Case => [
  step(pre, action, returned(errno)),
  step(pre, action, returned(0)),
  step(pre, action, returned(errno), takesPage),
];
const made = step(DEPRIVILEGED, create(PROTECTED), returned(0), makes);
const madeAnyway = step(afterFailure, create(PROTECTED), returned(0), makes);
const given = step(withVm(withImage), setFirmware(0), returned(0), (h) => {
  h.vms.set(0, vmLike({ firmwareIpa: 0x8000_0000n }));
});
const starts = step(withVm(DEPRIVILEGED), starting(0x1000), returned(0), (h) => {
  h.vms.set(0, vmLike({ started: true, handle: 0x1000 }));
});
const startsImage = step(
  withVm(withImage, { firmwareIpa: 0n }),
  starting(0x1000),
  returned(0),
  (h) => {
    h.vms.set(
      0,
      vmLike({ firmwareIpa: 0n, started: true, handle: 0x1000, startedFromFirmware: true }),
    );
  },
);
const closes = step(withVm(DEPRIVILEGED), CLOSE, returned(0), (h) => {
  h.vms.clear();
});

const cases: Record<string, Case> = {
  "VM-1": refusing(withMode("none"), create(0), -9),
  "VM-2": refusing(DEPRIVILEGED, create(0x4000_0000), -22),
  "VM-3": refusing(withMode("nvhe"), create(PROTECTED), -22),
  "VM-4": [
    made,
    step(DEPRIVILEGED, create(PROTECTED), returned(0)),
    answering(made, returned(-22)),
    leaving(made, (h) => {
      h.vms.set(0, vmLike({ isProtected: false }));
    }),
  ],
  "VM-5": [
    madeAnyway,
    step(afterFailure, create(PROTECTED), returned(-1)),
    step(afterFailure, create(PROTECTED), returned(0)),
  ],
  "VM-6": refusing(withVm(withImage, { isProtected: false }), setFirmware(0), -22),
  "VM-7": refusing(withVm(DEPRIVILEGED), setFirmware(0), -22),
  "VM-8": refusing(withVm(withImage, { started: true, handle: 0x1000 }), setFirmware(0), -16),
  "VM-9": [
    given,
    answering(given, returned(-22)),
    step(withVm(withImage), setFirmware(0), returned(0)),
  ],
  "VM-10": [starts, step(withVm(DEPRIVILEGED), starting(0x1000), returned(0))],
  "VM-11": [
    startsImage,
    leaving(startsImage, (h) => {
      h.vms.set(0, vmLike({ firmwareIpa: 0n, started: true, handle: 0x1000 }));
    }),
    leaving(starts, (h) => {
      h.vms.set(0, vmLike({ started: true, handle: 0x1000, startedFromFirmware: true }));
    }),
  ],
  "VM-12": refusing(DEPRIVILEGED, setFirmware(7), -9),
  "VM-13": [
    closes,
    answering(closes, returned(-9)),
    step(withVm(DEPRIVILEGED), CLOSE, returned(0)),
    leaving(closes, (h) => {
      h.vms.set(1, vmLike());
    }),
  ],
  "VM-14": [
    starts,
    leaving(starts, (h) => {
      h.firmware.content = "image";
    }),
    leaving(made, (h) => {
      h.modules.clear();
    }),
  ],
};

tryClauses(VM, cases);
