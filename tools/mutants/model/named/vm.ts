// Faults in the life of a VM at EL2: M45 to M51, M53, M55, M64.

import type { NamedMutant } from "../mutant.ts";

const TEARDOWN = "model/vm/teardown.ts";
const LOAD_VCPU = "model/vm/load-vcpu.ts";
const MAP_GUEST = "model/vm/map-guest.ts";

export const VM_MUTANTS: readonly NamedMutant[] = [
  {
    id: "M45",
    wrong: "A page of a guest goes back to the host with what the guest wrote into it.",
    change: {
      file: TEARDOWN,
      from: `      events.push({ kind: "zero", page, bytes: 4096 });
      hyp.memProtect -= 1;`,
      to: "hyp.memProtect -= 1;",
    },
    spokenOfBy: ["VM-49", "VM-56"],
  },
  {
    id: "M46",
    wrong: "A page of a guest is the host's before it is emptied.",
    change: {
      file: TEARDOWN,
      from: `      events.push({ kind: "zero", page, bytes: 4096 });
      hyp.memProtect -= 1;
    }
    events.push({ kind: "give", page });`,
      to: `      events.push({ kind: "give", page }, { kind: "zero", page, bytes: 4096 });
      hyp.memProtect -= 1;
    } else events.push({ kind: "give", page });`,
    },
    spokenOfBy: ["VM-49", "VM-56"],
  },
  {
    id: "M47",
    wrong: "The host reclaims a page of a VM that is alive.",
    change: {
      file: TEARDOWN,
      from: "permits: (hyp, call) => target(hyp, call)?.isDying === true,",
      to: "permits: (hyp, call) => target(hyp, call) !== undefined,",
    },
    spokenOfBy: ["VM-45"],
  },
  {
    id: "M48",
    wrong: "A VM ends and what is cached under its VMID stays.",
    change: {
      file: TEARDOWN,
      from: 'const events: MemoryEvent[] = [{ kind: "flush vmid", vmid: vmidOf(handle(call)) }];',
      to: "const events: MemoryEvent[] = [];",
    },
    spokenOfBy: ["VM-54"],
  },
  {
    id: "M49",
    wrong: "A VM ends, and its handle is free, although its teardown was never started.",
    change: {
      file: TEARDOWN,
      from: "permits: (hyp, call) => target(hyp, call)?.isDying !== false,",
      to: "permits: (hyp, call) => target(hyp, call) !== null,",
    },
    spokenOfBy: ["VM-51", "INV-32"],
  },
  {
    id: "M50",
    wrong: "A teardown is started while a vCPU is loaded.",
    change: {
      file: TEARDOWN,
      from: "permits: (hyp, call) => timesLoaded(hyp, handle(call)) === 0,",
      to: "permits: (hyp, call) => timesLoaded(hyp, handle(call)) >= 0,",
    },
    spokenOfBy: ["VM-41", "INV-32"],
  },
  {
    id: "M51",
    wrong: "One vCPU is loaded on two CPUs.",
    change: {
      file: LOAD_VCPU,
      from: "which?.handle === handleOf(argument(call, 1)) && which.vcpu === indexOf(call),",
      to: "which?.handle === handleOf(argument(call, 1)) && which.vcpu === -1 - indexOf(call),",
    },
    spokenOfBy: ["VM-34", "INV-32"],
  },
  {
    id: "M52",
    wrong: "A CPU runs its vCPU with any memory of the host for its registers.",
    change: {
      file: "model/guest/vcpu-run.ts",
      from: "return loaded.vcpu.hostVcpu === physicalOf(argument(call, 1));",
      to: "return loaded.vcpu.hostVcpu !== undefined;",
    },
    spokenOfBy: ["GUEST-11"],
  },
  {
    id: "M53",
    wrong: "A second vCPU enters the firmware.",
    change: {
      file: "model/vm/init-vcpu.ts",
      from: "vm.primaryVcpu === undefined || !entersFirmware(vm, call)",
      to: "vm.primaryVcpu !== null || !entersFirmware(vm, call)",
    },
    spokenOfBy: ["VM-28"],
  },
  {
    id: "M55",
    wrong: "A page that a guest borrows is marked as if nobody had it.",
    change: {
      file: MAP_GUEST,
      from: "} else setPage(hyp, page, LENT_PAGE);",
      to: "} else if (hyp.memProtect < 0) setPage(hyp, page, LENT_PAGE);",
    },
    spokenOfBy: ["VM-72", "INV-27"],
  },
  {
    id: "M64",
    wrong: "PSCI goes on counting a page that a guest has lost.",
    change: { file: TEARDOWN, from: "      hyp.memProtect -= 1;\n", to: "" },
    spokenOfBy: ["INV-30", "VM-49"],
  },
];
