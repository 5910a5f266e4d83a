// Every source that a rule cites, pinned once: the page, the branches, Arm, the measurements.

/** A place that decides: which text, and where in it. */
export interface Source {
  readonly text: keyof typeof TEXTS;
  /** Function and file, section, sentence or trace: enough to find it. */
  readonly at: string;
}

/** How sure we are of a fact. */
export type Evidence = "measured" | "read" | "derived" | "third party" | "open";

/** The texts. A branch snapshot is named by the version or commit that was read. */
export const TEXTS = {
  page: {
    title: "Implement a pKVM vendor module, source.android.com",
    pinned: "the text that the project was started from, with the errata E1 to E19",
  },
  "android14-6.1": {
    title: "Android common kernel android14-6.1",
    pinned: "6.1.145 as measured; sources as read in public 6.1 snapshots",
  },
  "android15-6.6": {
    title: "Android common kernel android15-6.6",
    pinned: "public 6.6 snapshots; not measured",
  },
  "android16-6.12": {
    title: "Android common kernel android16-6.12",
    pinned: "public 6.12 snapshots; not measured",
  },
  "android17-6.18": {
    title: "Android common kernel android17-6.18",
    pinned: "raspberry-vanilla/android_kernel_brcm_rpi at 213343d; not measured",
  },
  "mainline-6.1": {
    title: "Linux 6.1 as Debian builds it",
    pinned: "linux-image-6.1.0-56-arm64 6.1.192-2",
  },
  "mainline-6.12": {
    title: "Linux 6.12 as Debian builds it",
    pinned: "linux-image-6.12.95+deb12-arm64 6.12.95-1~bpo12+1",
  },
  "mainline-7.3": {
    title: "Linux 7.3 from Debian's sources",
    pinned: "linux-source-7.3 7.3.4-1~bpo13+1, minimal configuration, NVHE_EL2_DEBUG=y",
  },
  mainline: {
    title: "Linux, a mainline snapshot near 7.3",
    pinned: "torvalds/linux 03313ef, hyp/nvhe/pkvm.c as read; what it calls is named, not read",
  },
  linux: {
    title: "Linux",
    pinned: "6.1 (kernel/module, include/uapi, Documentation)",
  },
  kmod: {
    title: "kmod modprobe(8)",
    pinned: "kmod 30",
  },
  "Arm ARM": {
    title: "Arm Architecture Reference Manual for A-profile, DDI0487",
    pinned: "sections cited by name",
  },
  PSCI: {
    title: "Arm Power State Coordination Interface, DEN0022",
    pinned: "1.1",
  },
  SMCCC: {
    title: "Arm SMC Calling Convention, DEN0028",
    pinned: "1.3",
  },
  measured: {
    title: "Traces of real pKVM, recorded 22 and 23 November 2026",
    pinned: "android14-6.1.145 (production, el2debug), Debian 6.1.192 and 6.12.95, mainline 7.3.4",
  },
} as const;

/** A citation: `cite("android14-6.1", "handle_host_hcall, hyp/nvhe/hyp-main.c")`. */
export const cite = (text: Source["text"], at: string): Source => ({ text, at });
