// What a trace asks the model to do: the same command line, the same modules, the same calls.

import type { HostAction, Scenario } from "../../model/scenario.ts";
import type { BranchName } from "../../spec/branches/branch.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { imageName, ioctlAction, runAction } from "./kvm.ts";
import { argumentValue, type Names, namesAt, namesOf } from "./pages.ts";
import type { RecordOf, Trace, TraceHeader, TraceRecord } from "./trace.ts";

/** An action of the host with the record that it comes from. */
export interface PlannedAction {
  readonly record: number;
  readonly action: HostAction;
}

/** A trace as a scenario. */
export interface Plan {
  readonly scenario: Scenario;
  readonly planned: readonly PlannedAction[];
  /** The first record that acts in a way that the model cannot: nothing after it is known. */
  readonly until: number;
  readonly names: Names;
}

/** How headers begin, and the branch of the kernel that they name. */
const KERNELS: readonly (readonly [string, BranchName])[] = [
  ["android14-6.1 ", "android14-6.1"],
  ["linux-image-6.1.0-", "mainline-6.1"],
  ["linux-image-6.12.", "mainline-6.12"],
  ["linux-source-7.3 ", "mainline-7.3"],
];

/** The system that a trace was recorded on, if it is one that the model knows. */
export function systemOf({ kernel, cpus }: TraceHeader): SystemConfig | undefined {
  const branch = KERNELS.find(([text]) => kernel.startsWith(text))?.[1];
  if (branch === undefined) return undefined;
  const build = kernel.includes("NVHE_EL2_DEBUG=y") ? "el2debug" : "production";
  return { branch, build, documented: false, cpuCount: cpus };
}

/** The size of the firmware region in the device tree, if the header names one. */
function firmwareBytes({ device_tree }: TraceHeader): number {
  const mebibytes = /(\d+) MiB no-map region/.exec(device_tree ?? "")?.[1];
  return mebibytes === undefined ? 0 : Number(mebibytes) << 20;
}

/** The image that lies in the firmware region before the kernel runs. */
const firmwareImage = ({ firmware_image }: TraceHeader): string =>
  imageName(firmware_image?.split(" ")[0]);

/** Whether a call can be made: every argument has a number. */
export function registersOf(
  { id, args }: RecordOf<"call">,
  names: Names,
): readonly bigint[] | undefined {
  const x = [id, ...args].map((text) => argumentValue(text, names));
  return x.every((value) => value !== undefined) ? x : undefined;
}

/** A load or store of the host's kernel, if its address has a number. */
function accessAction(record: RecordOf<"access">, names: Names): HostAction | undefined {
  const { op, cpu, at, val, by } = record;
  if (by !== undefined) return processAccess(record, names);
  const address = argumentValue(at, names);
  if (address === undefined) return undefined;
  if (op === "host-read") return { kind: "host_read", cpu, address };
  const value = argumentValue(val ?? "", names);
  return value === undefined ? undefined : { kind: "host_write", cpu, address, value };
}

/** A load or store of the process, in memory that it gave to a VM. */
function processAccess(record: RecordOf<"access">, names: Names): HostAction | undefined {
  const { op, vm, offset, val } = record;
  const at = argumentValue(offset ?? "", names);
  if (vm === undefined || at === undefined) return undefined;
  if (op === "host-read") return { kind: "user_access", vm, offset: at };
  const store = argumentValue(val ?? "", names);
  return store === undefined ? undefined : { kind: "user_access", vm, offset: at, store };
}

const INSMOD = /^insmod \/mods\/([\w-]+)\.ko(?: (.*))?$/;
const RMMOD = /^rmmod ([\w-]+)$/;

/** The module that a shell command takes out or puts in. */
export function shellAction(cmd: string): HostAction | undefined {
  const insmod = INSMOD.exec(cmd);
  if (insmod !== null) {
    return { kind: "insmod", cpu: 0, name: insmod[1] ?? "", parameters: insmod[2] ?? "" };
  }
  const rmmod = RMMOD.exec(cmd);
  return rmmod === null ? undefined : { kind: "rmmod", name: rmmod[1] ?? "" };
}

/**
 * What the host does at a record; undefined for one that asks for nothing, or for what has no
 * number yet.
 */
function actionOf(record: TraceRecord, names: Names): HostAction | undefined {
  if (record.kind === "sh") return shellAction(record.cmd);
  if (record.kind === "access") return accessAction(record, names);
  if (record.kind === "ioctl") return ioctlAction(record);
  if (record.kind !== "call") return undefined;
  const x = registersOf(record, names);
  const { cpu, imm } = record;
  if (x !== undefined && record.op === "smc") return { kind: "smc", cpu, imm, x };
  return x === undefined ? undefined : { kind: "hvc", cpu, imm, x };
}

/** Whether a record acts, so that nothing after it is known when it cannot be done. */
const acts = ({ kind }: TraceRecord): boolean =>
  kind === "call" || kind === "access" || kind === "ioctl";

/**
 * The scenario of a trace. `twice` holds the places of insmod records that failed: busybox tries a
 * second system call
 * then. The module that made the calls (it has `loaded`) takes no part.
 */
export function planOf(trace: Trace, system: SystemConfig, twice: ReadonlySet<number>): Plan {
  const { header, records } = trace;
  const names = namesOf(trace, branchOf(system));
  const cannot = records.findIndex(
    ({ record }, at) => acts(record) && !actionOf(record, namesAt(names, at)),
  );
  const until = cannot < 0 ? records.length : cannot;
  const bare = records.map(({ record }) => record);
  const planned = records.slice(0, until).flatMap(({ record }, at): PlannedAction[] => {
    const action = actionOf(record, namesAt(names, at)) ?? runAction(bare, at);
    if (action === undefined) return [];
    const once = { record: at, action };
    return twice.has(at) ? [once, once] : [once];
  });
  const scenario: Scenario = {
    system,
    boot: {
      commandLine: header.kernel_args,
      firmwareBytes: firmwareBytes(header),
      firmwareImage: firmwareImage(header),
      modprobe: "stand-in",
      modulePath: "",
      initramfs: header.modules
        .filter(({ loaded }) => loaded === undefined)
        .map(({ name }) => ({ name, file: name, needs: [] })),
      faults: [],
    },
    actions: planned.map(({ action }) => action),
  };
  return { scenario, planned, until, names };
}
