// The machine that both sides are: Debian's kernel as the stored traces were recorded on it.

import type { SystemConfig } from "../../spec/types/hyp.ts";

/** Source: measured, headers of the debian-6.1.192-stock traces. */
export const MACHINE = {
  machine: "virt,virtualization=on,gic-version=3",
  cpu: "cortex-a76",
  memory: "1G",
  cpus: 2,
  commandLine: "kvm-arm.mode=protected",
} as const;

/** What the model has to be: Debian leaves CONFIG_NVHE_EL2_DEBUG off. */
export const SYSTEM: SystemConfig = {
  branch: "mainline-6.1",
  build: "production",
  documented: false,
  cpuCount: MACHINE.cpus,
};
