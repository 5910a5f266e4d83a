// A scenario: one boot and what the host does after it, as plain data that can be stored, shrunk
// and replayed.

import type { KvmClose, KvmCreateVm, KvmRun, KvmSetFirmwareIpa } from "../spec/types/action.ts";
import type { Errno } from "../spec/types/errno.ts";
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
  readonly call: "__pkvm_alloc_module_va" | "__pkvm_map_module_page" | "call_usermodehelper_exec";
  readonly nth: number;
  readonly errno: Errno;
}

/** How the machine boots. */
export interface BootPlan {
  readonly commandLine: string;
  /** Bytes of the pvmfw region in the device tree; 0 when there is none. */
  readonly firmwareBytes: number;
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
}

/** SMC by the host, with x0 and the arguments; the other registers as for an HVC. */
export interface HostSmc {
  readonly kind: "smc";
  readonly cpu: number;
  /** 0 when it is not given. */
  readonly imm?: number;
  readonly x: readonly bigint[];
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

/** What the host does after boot. */
export type HostAction =
  | HostHvc
  | HostSmc
  | HostRead
  | HostWrite
  | Insmod
  | Rmmod
  | KvmCreateVm
  | KvmSetFirmwareIpa
  | KvmRun
  | KvmClose;

/** One boot and the actions after it. */
export interface Scenario {
  readonly system: SystemConfig;
  readonly boot: BootPlan;
  readonly actions: readonly HostAction[];
}
