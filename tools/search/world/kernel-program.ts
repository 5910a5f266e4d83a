// The kernel's program on the CPU that boots: its order of things, with every way it can go.

import type { Branch } from "../../../spec/branches/branch.ts";
import { branchOf } from "../../../spec/branches/branches.ts";
import type { Action, FirmwareClear } from "../../../spec/types/action.ts";
import { negative } from "../../../spec/types/errno.ts";
import { type Outcome, SMCCC_RET_SUCCESS, signed } from "../../../spec/types/outcome.ts";
import { type At, HOST } from "./at.ts";
import { hcall } from "./calls.ts";
import { continueLoading, loadingMoves, startLoading } from "./loading-program.ts";
import type { Move, World, WorldState } from "./world.ts";

/** What a program sees when it goes on: the state before, and what was answered. */
export interface Answered {
  readonly pre: WorldState;
  readonly choice: string;
  readonly outcome: Outcome | undefined;
}

/** What the kernel itself reads out of an answer: x1 of a call, or what a function returned. */
export function answerOf(outcome: Outcome | undefined): number {
  if (outcome?.kind === "returned") return Number(signed(outcome.value));
  if (outcome?.kind !== "hcall") return 0;
  return outcome.x0 === SMCCC_RET_SUCCESS ? Number(signed(outcome.x1 ?? 0n)) : -1;
}

const namesOf = ({ boot }: WorldState): readonly string[] =>
  boot.protectedModules.split(",").filter((name) => name !== "");

const one = (cpu: number, action: Action): readonly Move[] => [{ cpu, choice: "", action }];

/** What the CPU can do at its place in the kernel's program. */
export function kernelMoves(world: World, cpu: number, state: WorldState, at: At): readonly Move[] {
  switch (at.at) {
    case "command line":
      return world.commandLines.map((commandLine) => ({
        cpu,
        choice: "",
        action: { kind: "parse_early_param", commandLine },
      }));
    case "kvm_arm_init":
      return one(cpu, { kind: "kvm_arm_init" });
    case "name": {
      const name = namesOf(state)[at.n] ?? "";
      return one(cpu, { kind: "pkvm_request_early_module", name });
    }
    case "modprobe":
      return modprobeMoves(world, cpu, state, namesOf(state)[at.n] ?? "");
    case "exit": {
      const name = namesOf(state)[at.n] ?? "";
      return one(cpu, { kind: "modprobe_exit", name, status: at.status });
    }
    case "list done":
      return one(cpu, { kind: "pkvm_load_early_modules" });
    case "clear":
      return one(cpu, { kind: "pkvm_firmware_rmem_clear", because: at.because });
    case "drop":
      return one(cpu, { kind: "pkvm_drop_host_privileges" });
    case "finalise":
      // on_each_cpu waits for a CPU that runs EL2 code or a guest: no interrupt gets through.
      return at.cpu !== cpu && state[`cpu${at.cpu}`]?.at !== "host"
        ? []
        : one(cpu, hcall(world.system, at.cpu, "__pkvm_prot_finalize"));
    case "bug":
      return one(cpu, { kind: "host_panic", cpu, why: "BUG in finalize_pkvm" });
    case "module":
      return loadingMoves(world, cpu, state, at);
    default:
      return [];
  }
}

/** modprobe finds the file or does not, or cannot be started. */
function modprobeMoves(
  world: World,
  cpu: number,
  state: WorldState,
  name: string,
): readonly Move[] {
  const fails: readonly Move[] =
    state.faults < world.size.faults
      ? [{ cpu, choice: "call_usermodehelper_exec fails", action: undefined }]
      : [];
  return [
    ...startLoading(world, cpu, name),
    { cpu, choice: "no file", action: undefined },
    ...fails,
  ];
}

const clear = (because: FirmwareClear["because"]): At => ({ at: "clear", because });
const nextName = (state: WorldState, n: number): At =>
  n < namesOf(state).length ? { at: "name", n } : { at: "list done" };

/** Without DMA isolation the firmware goes; then the host drops its privileges. */
const isolated = ({ boot }: WorldState): At =>
  boot.iommuFinalised ? { at: "drop" } : clear("IOMMU not finalised");

/** What finalize_pkvm does where a CPU was not finalised. */
const AFTER_REFUSED: Readonly<Record<Branch["dropFailure"], At>> = {
  "clear firmware": clear("drop failed"),
  log: HOST,
  BUG: { at: "bug" },
};

/** Where the CPU is after a move of the kernel's program. */
export function continueKernel(world: World, at: At, answered: Answered): At {
  const { pre, choice, outcome } = answered;
  const value = answerOf(outcome);
  switch (at.at) {
    case "command line":
      return { at: "kvm_arm_init" };
    case "kvm_arm_init":
      return pre.boot.mode === "protected" ? nextName(pre, 0) : clear("not protected");
    case "name":
      return value === 0 ? { at: "modprobe", n: at.n } : { at: "list done" };
    case "modprobe":
      if (choice === "no file") return { at: "exit", n: at.n, status: 256 };
      if (choice.endsWith("fails")) return { at: "exit", n: at.n, status: negative("ENOMEM") };
      return continueLoading(world, loadingOf(pre, at.n), answered);
    case "exit":
      return at.status === 0 ? nextName(pre, at.n + 1) : { at: "list done" };
    case "list done":
      return value === 0 ? isolated(pre) : clear("early module failed");
    case "clear":
      if (at.because === "early module failed") return isolated(pre);
      return at.because === "IOMMU not finalised" ? { at: "drop" } : HOST;
    case "drop":
      return { at: "finalise", cpu: 0, refused: false };
    case "finalise": {
      const refused = at.refused || value !== 0;
      if (at.cpu + 1 < world.size.cpus) return { at: "finalise", cpu: at.cpu + 1, refused };
      return refused ? AFTER_REFUSED[branchOf(world.system).dropFailure] : HOST;
    }
    case "module":
      return continueLoading(world, at, answered);
    default:
      return at;
  }
}

/** A module whose file modprobe gave to the kernel. */
const loadingOf = (state: WorldState, n: number) => ({
  at: "module" as const,
  name: namesOf(state)[n] ?? "",
  back: n,
  step: "init" as const,
  base: 0n,
  value: undefined,
});
