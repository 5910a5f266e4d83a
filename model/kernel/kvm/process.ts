// What the process does: ioctls, and loads and stores of the memory that it gave to a VM.

import { addressOf } from "../../../spec/types/address.ts";
import { environmentOf, settled } from "../../machine/environment.ts";
import { kernelLinear } from "../../machine/layout.ts";
import { hostAccess } from "../../machine/run.ts";
import { over, perform, returnedValue, type System } from "../../machine/system.ts";
import type { GiveMemory, HostAction, UserAccess } from "../../scenario.ts";
import { userFrame } from "./host-kvm.ts";
import { closeVm } from "./hyp-vm.ts";
import {
  createVcpu,
  createVm,
  initVcpu,
  PROCESS_CPU,
  setFirmwareIpa,
  setMemory,
  setOneReg,
} from "./ioctls.ts";
import { runGuest } from "./run.ts";

type ProcessAction = Exclude<
  HostAction,
  { kind: "hvc" | "smc" | "host_insn" | "host_read" | "host_write" | "insmod" | "rmmod" }
>;

/** One action of the process. */
export function actOfProcess(system: System, action: ProcessAction): void {
  switch (action.kind) {
    case "run_guest":
      runGuest(system, action.vm, action.vcpu, action.times);
      return;
    case "user_access":
      accessOfProcess(system, action);
      return;
    default: {
      const value = ioctl(system, action);
      if (value === undefined || over(system)) return;
      system.log.push({ kind: "answer", of: "ioctl", name: action.kind, value });
    }
  }
}

/** An ioctl, or close(): 0 or more, or a negative errno; undefined when the system ended. */
function ioctl(
  system: System,
  action: Exclude<ProcessAction, { kind: "run_guest" | "user_access" }>,
): number | undefined {
  switch (action.kind) {
    case "KVM_CHECK_EXTENSION":
      return returnedValue(perform(system, action));
    case "KVM_CREATE_VM":
      return createVm(system, action);
    case "KVM_SET_FW_IPA":
      return setFirmwareIpa(system, action);
    case "KVM_CREATE_VCPU":
      return createVcpu(system, action);
    case "KVM_ARM_VCPU_INIT":
      return initVcpu(system, action);
    case "KVM_SET_ONE_REG":
      return setOneReg(system, action);
    case "give_memory":
      return giveMemory(system, action);
    case "KVM_CLOSE":
      if (!closeVm(system, action.vm)) return undefined;
      return returnedValue(perform(system, action));
  }
}

/** MOVZ X0, #8; MOVK X0, #0x8400, LSL #16; HVC #0; B .: PSCI SYSTEM_OFF, and nothing else. */
const OFF = new Uint8Array(
  Uint32Array.of(0xd280_0100, 0xf2b0_8000, 0xd400_0002, 0x1400_0000).buffer,
);

function giveMemory(system: System, action: GiveMemory): number | undefined {
  const { vm, gpa, bytes } = action;
  const image = system.files.get(action.image) ?? (action.image === "off" ? OFF : undefined);
  return setMemory(system, { kind: "KVM_SET_USER_MEMORY_REGION", vm, gpa, bytes }, image);
}

/**
 * A load or store of 8 bytes. A page that was never touched reads as zero.
 * CHOICE: it is executed at EL1 in the kernel's linear map, where the process would be at EL0 in a
 * map of its own: the host's stage 2 decides in both, and an abort is a signal.
 */
function accessOfProcess(system: System, { vm, offset, store }: UserAccess): void {
  const memory = system.kvm.memory.get(vm)?.[0];
  const inside = memory !== undefined && offset + 8n <= memory.bytes;
  const value = inside ? touch(system, memory, offset, store) : "signal";
  if (value === undefined) return;
  const seen = value === "signal" ? undefined : value;
  const stores = store !== undefined;
  system.log.push({ kind: "user-access", vm, offset, store: stores, value: seen });
  if (value !== "signal") return;
  system.kvm.dead = true;
  system.log.push({ kind: "console", text: "Segmentation fault" });
}

function touch(
  system: System,
  memory: Parameters<typeof userFrame>[1],
  offset: bigint,
  store: bigint | undefined,
): bigint | "signal" | undefined {
  const page = Number(offset >> 12n);
  if (store === undefined && !memory.frames.has(page)) return 0n;
  const frame = userFrame(system.machine, memory, page);
  if (frame === undefined) return "signal";
  const va = kernelLinear(system.machine.branch, addressOf(frame) + (offset & 0xfffn));
  const accessed = hostAccess(
    system.machine,
    PROCESS_CPU,
    { va, sizeBytes: 8, store },
    environmentOf(system),
  );
  if (accessed.kind === "value") return accessed.value;
  if (accessed.kind === "fault") return "signal";
  settled(system, PROCESS_CPU, accessed);
  return undefined;
}
