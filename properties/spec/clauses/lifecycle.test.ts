// The clauses of boot, deprivileging and unloading, each on steps made by hand.

import { describe } from "vitest";
import { DEPRIVILEGE } from "../../../spec/clauses/deprivilege.ts";
import { LIFECYCLE } from "../../../spec/clauses/lifecycle.ts";
import { UNLOAD } from "../../../spec/clauses/unload.ts";
import { pfn } from "../../../spec/types/address.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  type Case,
  COMING,
  DEPRIVILEGED,
  hvc,
  LOADED,
  leaving,
  like,
  POWER_ON,
  panicked,
  recordOf,
  returned,
  setsKey,
  step,
  TRUSTED,
  takesPage,
  tryClauses,
  UNKNOWN,
} from "../tried.ts";

const line = (commandLine: string) => ({ kind: "parse_early_param", commandLine }) as const;
const request = (name: string) => ({ kind: "pkvm_request_early_module", name }) as const;
const exited = (status: number) => ({ kind: "modprobe_exit", name: "mod1", status }) as const;
const KVM_ARM_INIT = { kind: "kvm_arm_init" } as const;
const WALKED = { kind: "pkvm_load_early_modules" } as const;
const DROP = { kind: "pkvm_drop_host_privileges" } as const;
const CLEAR = { kind: "pkvm_firmware_rmem_clear", because: "early module failed" } as const;
const iommu = (value: number) => ({ kind: "pkvm_iommu_finalize", value }) as const;
const PROT_FINALIZE = hvc(0xc600_0011n);
const EPERM = -1;

const modeSet = step(
  POWER_ON,
  line("kvm-arm.mode=nvhe kvm-arm.mode=protected x"),
  returned(0),
  (h) => {
    h.boot.mode = "protected";
  },
);
const listSet = step(
  POWER_ON,
  line("kvm-arm.protected_modules=a kvm-arm.protected_modules=b,,c kvm-arm.protected_modules"),
  returned(0),
  (h) => {
    h.boot.protectedModules = "b,,c";
  },
);
const off = like(POWER_ON, (h) => {
  h.boot.mode = "none";
});
const protectedMode = like(POWER_ON, (h) => {
  h.boot.mode = "protected";
});
/** Two pages of firmware. Source: measured, fw-*: the region is at 0x78000000. */
const withFirmware = like(protectedMode, (h) => {
  h.firmware.regionBytes = 0x2000;
});
const takesFirmware = step(withFirmware, KVM_ARM_INIT, returned(0), (h) => {
  h.boot.hypUp = true;
  h.pages.set(pfn(0x78000), { ...HYP_PAGE }).set(pfn(0x78001), { ...HYP_PAGE });
});
const up = step(protectedMode, KVM_ARM_INIT, returned(0), (h) => {
  h.boot.hypUp = true;
});
const walkedOne = like(TRUSTED, (h) => {
  h.boot.requestedNames = ["mod1"];
});
const asksSecond = step(walkedOne, request("mod2"), returned(0), (h) => {
  h.boot.requested = "mod2";
  h.boot.requestedNames = ["mod1", "mod2"];
});
const failed = like(COMING, (h) => {
  h.boot.requested = undefined;
  h.boot.loadFailure = { name: "mod1", status: 256 };
});
const fails = step(COMING, exited(256), returned(256), (h) => {
  h.boot.requested = undefined;
  h.boot.loadFailure = { name: "mod1", status: 256 };
});
const walked = step(failed, WALKED, returned(256), (h) => {
  h.boot.earlyModulesDone = true;
});
const cleared = step(failed, CLEAR, returned(0), (h) => {
  h.firmware.content = "zero";
  h.firmware.advertisedBytes = 0;
});
const isolated = step(COMING, iommu(0), returned(0), (h) => {
  h.boot.iommuFinalised = true;
});

describe("boot", () => {
  const cases: Record<string, Case> = {
    "LIFE-1": [
      modeSet,
      leaving(modeSet, (h) => {
        h.boot.mode = "nvhe";
      }),
    ],
    "LIFE-2": [
      listSet,
      leaving(listSet, (h) => {
        h.boot.protectedModules = "a";
      }),
      leaving(listSet, setsKey),
    ],
    "LIFE-3": [
      step(off, KVM_ARM_INIT, returned(-19)),
      step(off, KVM_ARM_INIT, returned(0)),
      step(off, KVM_ARM_INIT, returned(-19), (h) => {
        h.boot.hypUp = true;
      }),
    ],
    "LIFE-4": [
      up,
      step(protectedMode, KVM_ARM_INIT, returned(0)),
      step(POWER_ON, KVM_ARM_INIT, returned(0), (h) => {
        h.boot.hypUp = true;
      }),
      leaving(up, setsKey),
    ],
    "LIFE-52": [
      takesFirmware,
      step(withFirmware, KVM_ARM_INIT, returned(0), (h) => {
        h.boot.hypUp = true;
      }),
      leaving(takesFirmware, (h) => {
        h.pages.set(pfn(0x78002), { ...HYP_PAGE });
      }),
    ],
    "LIFE-5": [
      asksSecond,
      step(walkedOne, request(""), returned(0)),
      step(walkedOne, request("mod1"), returned(0)),
    ],
    "LIFE-6": [asksSecond, step(failed, request("mod2"), returned(0))],
    "LIFE-7": [
      fails,
      step(COMING, exited(256), returned(256)),
      step(failed, exited(512), returned(512), (h) => {
        h.boot.loadFailure = { name: "mod1", status: 512 };
      }),
      step(COMING, exited(0), returned(0), (h) => {
        h.boot.loadFailure = { name: "mod1", status: 0 };
      }),
    ],
    "LIFE-8": [
      walked,
      answering(walked, returned(0)),
      step(failed, WALKED, returned(256)),
      leaving(walked, setsKey),
    ],
    "LIFE-9": [cleared, step(failed, CLEAR, returned(0))],
    "LIFE-10": [
      cleared,
      leaving(cleared, (h) => {
        h.firmware.advertisedBytes = 0x100000;
      }),
    ],
    "LIFE-11": [
      cleared,
      leaving(cleared, (h) => {
        h.modules.delete("mod1");
      }),
    ],
    "LIFE-12": [
      isolated,
      step(COMING, iommu(0), returned(0)),
      step(COMING, iommu(-5), returned(0), (h) => {
        h.boot.iommuFinalised = true;
      }),
      leaving(isolated, setsKey),
    ],
    "LIFE-29": [
      fails,
      leaving(fails, (h) => {
        h.boot.protectedModules = "";
      }),
      leaving(fails, (h) => {
        h.boot.mode = "nvhe";
      }),
    ],
    "LIFE-32": [
      step(DEPRIVILEGED, request("mod2"), returned(-13)),
      step(DEPRIVILEGED, request("mod2"), returned(-13), (h) => {
        h.boot.requested = "mod2";
      }),
    ],
  };
  tryClauses(LIFECYCLE, cases);
});

const done = like(TRUSTED, (h) => {
  h.boot.earlyModulesDone = true;
  h.firmware.content = "zero";
  h.firmware.advertisedBytes = 0;
});
const dropped = step(done, DROP, returned(0), setsKey);
const keyed = like(done, setsKey);
const finalises = step(keyed, PROT_FINALIZE, answered(0), (h) => {
  h.boot.finalised = [true, false];
});
/** Position 20 of host_hcall[], counted by hand. Source: android17-6.18, hyp-main.c. */
const lateEarly = step(
  like(TRUSTED, (hyp) => {
    hyp.config.branch = "android17-6.18";
    hyp.el2.earlyBytes = 0x1000;
  }),
  hvc(0xc600_0014n),
  panicked("EARLY_MAPPING_LEFT"),
);
const leftEarly = step(
  like(keyed, (h) => {
    h.el2.earlyBytes = 0x1000;
  }),
  PROT_FINALIZE,
  panicked("EARLY_MAPPING_LEFT"),
);
const finalisedTwice = step(DEPRIVILEGED, PROT_FINALIZE, answered(EPERM));
const dies = step(TRUSTED, hvc(0xc600_000en, 0x50000, 0), panicked("UNMAP_NOT_OWNED"), (h) => {
  h.end = { kind: "hyp-panic", reason: "UNMAP_NOT_OWNED", esr: undefined };
});

const oops = step(
  DEPRIVILEGED,
  { kind: "host_oops", cpu: 0, esr: 0x9600_0047n, elr: 0n, far: 0n },
  { kind: "host-panic", reason: "HOST_OOPS" },
  (h) => {
    h.end = { kind: "host-panic", reason: "HOST_OOPS" };
  },
);

describe("deprivileging", () => {
  const cases: Record<string, Case> = {
    "LIFE-13": [
      dropped,
      step(done, DROP, returned(0)),
      leaving(dropped, (h) => {
        h.boot.finalised = [true, true];
      }),
    ],
    "LIFE-14": [
      finalisedTwice,
      leaving(finalisedTwice, (h) => {
        h.boot.key = false;
      }),
    ],
    "LIFE-15": [isolated, leaving(isolated, setsKey)],
    "LIFE-16": [
      dropped,
      step(
        like(done, (h) => {
          h.boot.loadFailure = { name: "mod1", status: 256 };
          h.firmware.content = "image";
        }),
        DROP,
        returned(0),
        setsKey,
      ),
    ],
    "LIFE-17": [
      finalises,
      answering(finalises, UNKNOWN),
      step(keyed, PROT_FINALIZE, answered(0)),
      leaving(finalises, (h) => {
        h.boot.finalised = [true, true];
      }),
      leaving(finalises, takesPage),
    ],
    "LIFE-18": [
      finalisedTwice,
      answering(finalisedTwice, answered(0)),
      answering(finalisedTwice, UNKNOWN),
      leaving(finalisedTwice, takesPage),
    ],
    "LIFE-34": [leftEarly, answering(leftEarly, answered(0))],
    "LIFE-51": [lateEarly, answering(lateEarly, answered(0))],
    "LIFE-19": [
      finalises,
      leaving(finalises, (h) => {
        h.boot.finalised = [true, true];
      }),
      leaving(finalisedTwice, (h) => {
        h.boot.finalised = [false, true];
      }),
    ],
    "LIFE-28": [
      dies,
      leaving(dies, (h) => {
        h.end = undefined;
      }),
      leaving(dies, (h) => {
        h.end = { kind: "hyp-panic", reason: "EL2_BUG", esr: undefined };
      }),
      leaving(isolated, (h) => {
        h.end = { kind: "hang", where: "mod1" };
      }),
    ],
    "LIFE-30": [
      dropped,
      step(TRUSTED, DROP, returned(0), setsKey),
      step(
        like(done, (h) => {
          h.boot.requested = "mod2";
        }),
        DROP,
        returned(0),
        setsKey,
      ),
    ],
    "LIFE-31": [dropped, step(POWER_ON, DROP, returned(0), setsKey)],
    "LIFE-33": [oops, answering(oops, returned(0)), leaving(oops, takesPage)],
  };
  tryClauses(DEPRIVILEGE, cases);
});

const remove = (name: string) => ({ kind: "delete_module", name }) as const;
const inits = (value: number) => ({ kind: "module_init_returned", name: "mod1", value }) as const;

/** mod1 without an EL2 half, live, with an exit function. */
const plain = like(COMING, (h) => {
  Object.assign(recordOf(h, "mod1"), { state: "live", hasExit: true, refcount: 0, initResult: 0 });
});
const withoutExit = like(plain, (h) => {
  recordOf(h, "mod1").hasExit = false;
});
const heldModule = like(DEPRIVILEGED, (h) => {
  recordOf(h, "mod1").hasExit = true;
});
const frees = (h: Parameters<typeof recordOf>[0]) => {
  recordOf(h, "mod1").state = "freed";
};
const removed = step(plain, remove("mod1"), returned(0), frees);
const lives = step(COMING, inits(0), returned(0), (h) => {
  Object.assign(recordOf(h, "mod1"), { state: "live", refcount: 0, initResult: 0 });
});
const initFails = step(LOADED, inits(-12), returned(-12), (h) => {
  Object.assign(recordOf(h, "mod1"), { state: "freed", refcount: 1, initResult: -12 });
});
const refusing = (pre: typeof plain, errno: number, name = "mod1"): Case => [
  step(pre, remove(name), returned(errno)),
  step(pre, remove(name), returned(0)),
  step(pre, remove(name), returned(errno), takesPage),
];

describe("unloading", () => {
  const cases: Record<string, Case> = {
    "LIFE-20": refusing(plain, -2, "nosuch"),
    "LIFE-21": refusing(COMING, -16),
    "LIFE-22": refusing(withoutExit, -16),
    "LIFE-23": refusing(heldModule, -11),
    "LIFE-24": [
      removed,
      step(plain, remove("mod1"), returned(0)),
      answering(removed, returned(-11)),
      leaving(removed, takesPage),
    ],
    "LIFE-25": [
      step(DEPRIVILEGED, remove("mod1"), returned(-16)),
      step(DEPRIVILEGED, remove("mod1"), returned(0), frees),
    ],
    "LIFE-26": [
      lives,
      step(COMING, inits(0), returned(0)),
      leaving(lives, (h) => {
        recordOf(h, "mod1").refcount = 1;
      }),
      leaving(lives, takesPage),
    ],
    "LIFE-27": [
      initFails,
      step(LOADED, inits(-12), returned(-12)),
      leaving(initFails, (h) => {
        h.pages.clear();
      }),
    ],
  };
  tryClauses(UNLOAD, cases);
});
