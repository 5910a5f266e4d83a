// The boot up to the early modules: command line, EL2 coming up, modprobe, the firmware.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  EVERY_ACTION,
  ensure,
  equal,
  refuses,
  succeeded,
} from "./phrases.ts";

/** The values given to a parameter, in order. `-` and `_` are the same letter (parameq). */
function valuesOf(commandLine: string, parameter: RegExp): readonly string[] {
  return commandLine.split(/\s+/).flatMap((word) => parameter.exec(word)?.[1] ?? []);
}
const MODE = /^kvm[-_]arm\.mode=(none|protected|nvhe|nested)$/;
const MODULES = /^kvm[-_]arm\.protected[-_]modules=(.*)$/;

/** Whether a line is read as it looks: no quotes, no end of the kernel's part, nothing cut off. */
const isPlain = (line: string): boolean =>
  line.length < 2048 && !line.includes('"') && !/(^|\s)--(\s|$)/.test(line);

/**
 * The names of a list, in order; what is between two commas may be nothing, and is then no name.
 */
export const namesOf = (list: string): readonly string[] =>
  list.split(",").filter((name) => name !== "");

export const LIFECYCLE: readonly StepClause[] = [
  clause({
    id: "LIFE-1",
    kind: "kernel",
    statement:
      "The last kvm-arm.mode with a known value decides the mode, and no other form of it does.",
    source: [cite("android14-6.1", "early_kvm_mode_cfg, arch/arm64/kvm/arm.c")],
    on: ["parse_early_param"],
    applies: ({ action }) => isPlain(action.commandLine),
    holds: ({ pre, action, post }) => {
      const asked = valuesOf(action.commandLine, MODE).at(-1);
      const unasked = [pre.boot.mode, "nvhe"]; // id_aa64mmfr1.vh=0 alone
      return ensure(
        asked === undefined ? unasked.includes(post.boot.mode) : post.boot.mode === asked,
        `the mode is ${post.boot.mode}, asked was ${asked ?? "none of the known ones"}`,
      );
    },
  }),
  clause({
    id: "LIFE-2",
    kind: "kernel",
    statement:
      "The last kvm-arm.protected_modules= decides the list, and the form without value does not.",
    source: [
      cite("android14-6.1", "early_pkvm_modules_cfg, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-empties: the list is kept as it was written"),
    ],
    on: ["parse_early_param"],
    applies: ({ action }) => isPlain(action.commandLine),
    holds: (step) => {
      const asked = valuesOf(step.action.commandLine, MODULES).at(-1);
      const list = asked ?? step.pre.boot.protectedModules;
      return all(
        ensure(step.post.boot.protectedModules === list, `the list is not "${list}"`),
        changesOnly(step, "boot.mode", "boot.protectedModules"),
      );
    },
  }),
  clause({
    id: "LIFE-3",
    kind: "kernel",
    statement: "With kvm-arm.mode=none KVM does not start and nothing changes.",
    source: [
      cite("android14-6.1", "kvm_arm_init, arch/arm64/kvm/arm.c"),
      cite("measured", "mod-kvmoff: hypercalls find the stub vectors, /dev/kvm is absent"),
    ],
    on: ["kvm_arm_init"],
    applies: ({ pre }) => pre.boot.mode === "none",
    holds: (step) => refuses(step, "ENODEV"),
  }),
  clause({
    id: "LIFE-4",
    kind: "kernel",
    statement:
      "In protected mode, and in no other, KVM leaves pKVM at EL2, with the host still trusted.",
    source: [
      cite("android14-6.1", "kvm_arm_init, init_hyp_mode, arch/arm64/kvm/arm.c"),
      cite("measured", "mod-ok, mod-notprotected"),
    ],
    on: ["kvm_arm_init"],
    applies: ({ pre }) => pre.boot.mode !== "none",
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(
          step.post.boot.hypUp === (step.pre.boot.mode === "protected"),
          `hypUp is ${step.post.boot.hypUp} in mode ${step.pre.boot.mode}`,
        ),
        changesOnly(step, "boot.hypUp", "pages"),
      ),
  }),
  clause({
    id: "LIFE-52",
    kind: "kernel",
    statement: "EL2 takes the region of the firmware when it comes up, and no page besides.",
    source: [
      cite("android14-6.1", "recreate_hyp_mappings, fix_host_ownership, hyp/nvhe/setup.c"),
      cite("android14-6.1", "kvm_hyp_reserve: the region is NOMAP, so that nobody shares it"),
    ],
    on: ["kvm_arm_init"],
    applies: ({ pre }) => pre.boot.mode !== "none",
    holds: ({ pre, post }) => {
      const taken = post.boot.hypUp ? Math.ceil(pre.firmware.regionBytes / 4096) : 0;
      const owned = [...post.pages.values()].filter(
        ({ owner, hyp }) => owner === "HYP" && hyp === "OWNED",
      );
      return ensure(
        post.pages.size === taken && owned.length === taken,
        `${owned.length} of ${post.pages.size} pages are the hypervisor's, not ${taken}`,
      );
    },
  }),
  clause({
    id: "LIFE-5",
    kind: "kernel",
    statement: "The name that is requested is the next one of the list, empty ones left out.",
    source: [
      cite("android14-6.1", "pkvm_load_early_modules, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-empties, mod-two: argv is -q -- NAME, in the order of the list"),
    ],
    on: ["pkvm_request_early_module"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: ({ pre, action }) => {
      const next = namesOf(pre.boot.protectedModules)[pre.boot.requestedNames.length];
      return ensure(action.name === next, `"${action.name}" is requested, next is "${next}"`);
    },
  }),
  clause({
    id: "LIFE-6",
    kind: "kernel",
    statement: "After the first failed load no further name is requested.",
    source: [
      cite("android14-6.1", "pkvm_load_early_modules, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-missing-first: the second name never gets to modprobe"),
    ],
    on: ["pkvm_request_early_module"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: ({ pre, action }) =>
      ensure(
        pre.boot.loadFailure === undefined,
        `"${action.name}" is requested after "${pre.boot.loadFailure?.name}" failed`,
      ),
  }),
  clause({
    id: "LIFE-7",
    kind: "kernel",
    statement:
      "A status of modprobe other than 0 is a failed load, and the first one stays the one.",
    source: [
      cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-missing: 256; mod-twice: 4352; mod-failinit: 5632"),
    ],
    on: ["modprobe_exit"],
    applies: () => true,
    holds: ({ pre, action, post }) => {
      const { name, status } = action;
      const failure = pre.boot.loadFailure ?? (status === 0 ? undefined : { name, status });
      return ensure(
        equal(post.boot.loadFailure, failure),
        `status ${status} of "${name}" leaves the failure as ${post.boot.loadFailure?.name}`,
      );
    },
  }),
  clause({
    id: "LIFE-8",
    kind: "kernel",
    statement: "The walk over the list ends with 0, or with the status of the name that failed.",
    source: [cite("android14-6.1", "pkvm_load_early_modules, arch/arm64/kvm/pkvm.c")],
    on: ["pkvm_load_early_modules"],
    applies: () => true,
    holds: (step) =>
      all(
        answers(step.outcome, step.pre.boot.loadFailure?.status ?? 0),
        ensure(step.post.boot.earlyModulesDone, "the early modules are not marked done"),
        changesOnly(step, "boot.earlyModulesDone"),
      ),
  }),
  clause({
    id: "LIFE-9",
    kind: "kernel",
    statement: "Clearing the firmware leaves zeros in its region.",
    source: [
      cite("android14-6.1", "pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-missing-after-iommufin: Clearing unused pKVM firmware memory"),
    ],
    on: ["pkvm_firmware_rmem_clear"],
    applies: () => true,
    holds: ({ post }) => ensure(post.firmware.content === "zero", "the image is still there"),
  }),
  clause({
    id: "LIFE-10",
    kind: "kernel",
    statement:
      "A cleared firmware is forgotten, except on android15-6.6, which goes on advertising it.",
    source: [
      cite("android14-6.1", "pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c"),
      cite("android15-6.6", "pkvm_firmware_rmem_clear: pvmfw_size is left as it was"),
    ],
    on: ["pkvm_firmware_rmem_clear"],
    applies: () => true,
    holds: ({ pre, post }) => {
      const { clearedFirmwareStillAdvertised } = branchOf(pre.config);
      const bytes = clearedFirmwareStillAdvertised ? pre.firmware.advertisedBytes : 0;
      return ensure(
        post.firmware.advertisedBytes === bytes,
        `${post.firmware.advertisedBytes} bytes are advertised, not ${bytes}`,
      );
    },
  }),
  clause({
    id: "LIFE-11",
    kind: "kernel",
    statement: "Clearing the firmware costs nothing but the firmware.",
    source: [
      cite("android14-6.1", "pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-missing: VMs of both kinds are created after it"),
    ],
    on: ["pkvm_firmware_rmem_clear"],
    applies: () => true,
    holds: (step) => changesOnly(step, "firmware.content", "firmware.advertisedBytes"),
  }),
  clause({
    id: "LIFE-12",
    kind: "kernel",
    statement:
      "The IOMMU counts as finalised once a module has said 0, and an error takes nothing back.",
    source: [
      cite("android14-6.1", "pkvm_iommu_finalize, arch/arm64/kvm/iommu.c"),
      cite("measured", "fw-modok-iommufin: 0 keeps the firmware; fw-modok: nothing said, wiped"),
    ],
    on: ["pkvm_iommu_finalize"],
    applies: () => true,
    holds: (step) =>
      all(
        ensure(
          step.post.boot.iommuFinalised ===
            (step.pre.boot.iommuFinalised || step.action.value === 0),
          `iommuFinalised is ${step.post.boot.iommuFinalised} after ${step.action.value}`,
        ),
        changesOnly(step, "boot.iommuFinalised", "boot.iommuClosed"),
      ),
  }),
  clause({
    id: "LIFE-29",
    kind: "kernel",
    statement: "Mode and list are fixed once the command line has been read.",
    source: [cite("android14-6.1", "early_param of arm.c and pkvm.c: __initdata, read once")],
    on: EVERY_ACTION,
    applies: ({ action }) => action.kind !== "parse_early_param",
    holds: ({ pre, post }) =>
      ensure(
        pre.boot.mode === post.boot.mode &&
          pre.boot.protectedModules === post.boot.protectedModules,
        "mode or list changed after the command line was read",
      ),
  }),
  clause({
    id: "LIFE-32",
    kind: "kernel",
    statement: "A refused request starts nothing.",
    source: [cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c")],
    on: ["pkvm_request_early_module"],
    applies: ({ outcome }) => !succeeded(outcome),
    holds: (step) => changesNothing(step),
  }),
];
