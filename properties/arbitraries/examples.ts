// The example modules that scenarios are made of: which file, which name, and what they are for.

/** One example module. */
export interface ExampleModule {
  /** The name that /proc/modules would show, and the file's without its ending. */
  readonly name: string;
  /** From the root of the project. */
  readonly file: string;
  /** Whether it runs the program in its `seq` parameter. */
  readonly runsPrograms: boolean;
  /**
   * `sound`: nothing that it does breaks a rule; `wrong`: made to break one; `instrument`: does
   * what
   * its program says.
   */
  readonly made: "sound" | "wrong" | "instrument";
}

const module = (
  folder: string,
  made: ExampleModule["made"],
  name = folder.replaceAll("-", "_"),
): ExampleModule => ({
  name,
  file: `examples/${folder}/${name}.ko`,
  runsPrograms: made === "instrument",
  made,
});

/** Every example that is built for android14-6.1. */
export const EXAMPLES: readonly ExampleModule[] = [
  module("page", "sound", "pkvm_module"),
  module("page-as-printed", "wrong", "pkvm_module"),
  module("measurement", "instrument", "ovm"),
  module("measurement-textonly", "instrument", "ovmt"),
  module("el2-init-fails", "wrong"),
  module("el2-init-fails-textonly", "wrong"),
  module("el1-init-fails-after-load", "wrong"),
  module("el2-init-registers-then-fails", "wrong"),
  module("registers-until-full", "wrong"),
  module("host-pointer-deref", "wrong"),
  module("handler-never-returns", "wrong"),
  module("other-branch-ops", "wrong"),
  module("half-registered", "wrong"),
  module("fixed-hypercall-number", "wrong"),
  module("corrupted-elf", "wrong"),
  module("corrupted-elf", "wrong", "truncated"),
  module("missing-hyp-reloc", "wrong"),
  module("unresolved-symbol", "wrong"),
  module("plain-module", "sound"),
  module("depends-on-another", "sound"),
  module("vendor-kcfi", "wrong"),
  module("vendor-shadow-call-stack", "sound"),
  module("vendor-pac-bti", "sound"),
  module("vendor-altinstructions", "sound"),
  module("vendor-plts", "sound"),
  module("vendor-modversions", "sound"),
  module("vendor-struct-module", "sound"),
  module("vendor-data-relocs", "sound"),
  module("vendor-unknown-api", "wrong"),
];

/** What is built for a later branch: it is run on that branch and no other. */
export const LATER_EXAMPLES: readonly ExampleModule[] = [
  module("kmi-android15-6.6", "sound", "kmi_android15_6_6"),
  module("kmi-android16-6.12", "sound", "kmi_android16_6_12"),
  module("kmi-android17-6.18", "sound", "kmi_android17_6_18"),
  module("x0-left-alone", "wrong"),
  module("null-op", "wrong"),
];

/** Examples that `check` is tried on: what is wrong with them shows only in the calls of a host. */
export const CHECKED_EXAMPLES: readonly ExampleModule[] = [
  module("off-by-one-page-count", "wrong"),
  module("missing-unpin", "wrong"),
  module("length-overflow", "wrong"),
  module("host-held-pointer", "wrong"),
  module("forgotten-fixmap-unmap", "wrong"),
  module("handler-table-overrun", "wrong"),
  module("double-fetch", "wrong"),
  module("race-between-cpus", "wrong"),
  module("patches-itself", "wrong"),
  module("returns-stack-bytes", "wrong"),
  module("ignored-errno", "wrong"),
  module("ignored-rollback", "wrong"),
  module("answers-in-x0", "wrong"),
  module("smc-service", "wrong"),
  module("abort-decodes-insn", "wrong"),
  module("psci-saved-state", "wrong"),
  module("trap-unknown-register", "wrong"),
  module("perm-fault-errno", "wrong"),
  module("later-branch-op", "wrong"),
  module("padding-in-shared-memory", "wrong"),
  module("early-mapping-kept", "wrong"),
  module("donation-kept", "wrong"),
  module("failed-load-ignored", "wrong"),
  module("bug-on-failed-load", "wrong"),
  module("shared-buffer", "sound"),
  module("smc-filter", "sound"),
  module("serial-driver", "sound"),
  module("watches-the-host", "sound"),
];

/** An example by its name; the mended module of the page is the one of its name. */
export function exampleOf(name: string): ExampleModule {
  const found = EXAMPLES.find((example) => example.name === name);
  if (found === undefined) throw new Error(`no example is named ${name}`);
  return found;
}
