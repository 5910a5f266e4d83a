// A scenario: one boot and what the host does after it, as plain data that can be stored, shrunk
// and replayed.

import type { Errno } from "../spec/types/errno.ts";
import type {
  KvmArmVcpuInit,
  KvmCheckExtension,
  KvmClose,
  KvmCreateVcpu,
  KvmCreateVm,
  KvmSetFirmwareIpa,
  KvmSetOneReg,
} from "../spec/types/guest-action.ts";
import type { SystemConfig } from "../spec/types/hyp.ts";

/**
 * One module file in the initramfs: /lib/modules/NAME.ko (kmod) or /mods/NAME.ko (the stand-in).
 */
export interface InitramfsModule {
  readonly name: string;
  /** Which file it is: a key of the files that a run is given. */
  readonly file: string;
  /** Names of the modules that modules.dep says it needs. */
  readonly needs: readonly string[];
}

/**
 * A fault that is injected: a hypercall of the loader answers with an error although nothing is
 * wrong. `nth` counts
 * the calls of that function from 0.
 */
export interface Fault {
  readonly call:
    | "__pkvm_alloc_module_va"
    | "__pkvm_map_module_page"
    | "__pkvm_register_hcall"
    | "call_usermodehelper_exec"
    /** An op that can fail, called by the EL2 init of a module. */
    | "op in an EL2 init";
  readonly nth: number;
  readonly errno: Errno;
}

/** How the machine boots. */
export interface BootPlan {
  readonly commandLine: string;
  /** Bytes of the pvmfw region in the device tree; 0 when there is none. */
  readonly firmwareBytes: number;
  /** What lies there before the kernel runs: a key of the files; absent: zeros. */
  readonly firmwareImage?: string;
  /** Which modprobe the initramfs carries. */
  readonly modprobe: "kmod" | "stand-in";
  /** CONFIG_PKVM_MODULE_PATH: tried first with `-d`; "" when the kernel has none. */
  readonly modulePath: string;
  readonly initramfs: readonly InitramfsModule[];
  readonly faults: readonly Fault[];
}

/** HVC by the host with x0 and the arguments; registers not given hold a marker, 0xa0a00000 + n. */
export interface HostHvc {
  readonly kind: "hvc";
  readonly cpu: number;
  readonly imm: number;
  readonly x: readonly bigint[];
  /** What other CPUs do while the handler of this call is on its way. */
  readonly meanwhile?: readonly Meanwhile[] | undefined;
  /** Some of the ops that the handler calls fail. */
  readonly failing?: readonly FailingOp[] | undefined;
}

/** The op of a handler that answers an errno and does nothing: the nth of those that can. */
export interface FailingOp {
  readonly nth: number;
  readonly errno: Errno;
}

/** An action of another CPU, done before an instruction of the module, counted from 0. */
export interface Meanwhile {
  readonly before: number;
  readonly action: HostHvc | HostSmc | HostInsn | HostWrite;
}

/** SMC by the host, with x0 and the arguments; the other registers as for an HVC. */
export interface HostSmc {
  readonly kind: "smc";
  readonly cpu: number;
  /** 0 when it is not given. */
  readonly imm?: number;
  readonly x: readonly bigint[];
  /** As for an HVC: while a callback is on its way. */
  readonly meanwhile?: readonly Meanwhile[] | undefined;
  /** Some of the ops that callbacks call on the way fail. */
  readonly failing?: readonly FailingOp[] | undefined;
}

/**
 * One instruction of the host's kernel with x0 and up, as for an HVC: a load or store that faults,
 * or what EL2 traps. A fault that comes back to EL1 is fixed up.
 */
export interface HostInsn {
  readonly kind: "host_insn";
  readonly cpu: number;
  /** The instruction. */
  readonly word: number;
  readonly x: readonly bigint[];
  readonly meanwhile?: readonly Meanwhile[] | undefined;
  readonly failing?: readonly FailingOp[] | undefined;
}

/** A load of 8 bytes by the host's kernel, through its linear map; a fault is an answer. */
export interface HostRead {
  readonly kind: "host_read";
  readonly cpu: number;
  /** Physical, in memory. */
  readonly address: bigint;
}

/** The same for a store. */
export interface HostWrite {
  readonly kind: "host_write";
  readonly cpu: number;
  readonly address: bigint;
  readonly value: bigint;
}

/** insmod after boot, with its parameter string. */
export interface Insmod {
  readonly kind: "insmod";
  readonly cpu: number;
  readonly name: string;
  readonly parameters: string;
}

/** rmmod after boot. */
export interface Rmmod {
  readonly kind: "rmmod";
  readonly name: string;
}

/**
 * The process gives fresh memory to a VM (KVM_SET_USER_MEMORY_REGION); it begins with an image.
 */
export interface GiveMemory {
  readonly kind: "give_memory";
  readonly vm: number;
  readonly gpa: bigint;
  readonly bytes: bigint;
  /**
   * Which image it is: a key of the files that a run is given; "off", a guest that turns itself off
   * at once; "" for none.
   */
  readonly image: string;
}

/**
 * KVM_RUN, again after each access to a device, which is answered with bytes of 0x5a, and until
 * something else happens, but at most so often.
 */
export interface RunGuest {
  readonly kind: "run_guest";
  readonly vm: number;
  readonly vcpu: number;
  readonly times: number;
}

/** The process reads, or writes, 8 bytes of the memory that it gave to a VM last. */
export interface UserAccess {
  readonly kind: "user_access";
  readonly vm: number;
  readonly offset: bigint;
  /** Absent for a load. */
  readonly store?: bigint;
}

/** Where the memory of a guest starts, and where it is entered. Source: measured, every guest. */
export const GUEST_START = 0x8000_0000n;

/** One VM as a VMM makes, runs and closes it, with a vCPU and 2 MiB of memory. */
export const guestLife = (
  vm: number,
  type: number,
  image: string,
  firmwareIpa?: bigint,
): readonly HostAction[] => [
  { kind: "KVM_CREATE_VM", vm, type },
  ...(firmwareIpa === undefined ? [] : [{ kind: "KVM_SET_FW_IPA", vm, ipa: firmwareIpa } as const]),
  { kind: "KVM_CREATE_VCPU", vm, vcpu: 0 },
  { kind: "KVM_ARM_VCPU_INIT", vm, vcpu: 0, features: 4 },
  { kind: "give_memory", vm, gpa: GUEST_START, bytes: 0x20_0000n, image },
  { kind: "KVM_SET_ONE_REG", vm, vcpu: 0, register: "pc", value: GUEST_START },
  { kind: "run_guest", vm, vcpu: 0, times: 2000 },
];

/** What the host does after boot. */
export type HostAction =
  | HostHvc
  | HostSmc
  | HostInsn
  | HostRead
  | HostWrite
  | Insmod
  | Rmmod
  | KvmCheckExtension
  | KvmCreateVm
  | KvmSetFirmwareIpa
  | KvmCreateVcpu
  | KvmArmVcpuInit
  | KvmSetOneReg
  | GiveMemory
  | RunGuest
  | UserAccess
  | KvmClose;

/** One boot and the actions after it. */
export interface Scenario {
  readonly system: SystemConfig;
  readonly boot: BootPlan;
  readonly actions: readonly HostAction[];
}
