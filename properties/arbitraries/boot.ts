// Boots: the command line, the list of early modules, what lies in the initramfs, what is made to
// fail.

import fc from "fast-check";
import type { BootPlan, Fault, InitramfsModule } from "../../model/scenario.ts";
import type { ExampleModule } from "./examples.ts";
import { program } from "./program.ts";

/** Names that are in no initramfs here. */
const MISSING = ["nosuch", "no-such", "ovm.ko.ko", "-", "../ovm"] as const;

/**
 * A name as the list may write it: as it is, with dashes, with its file's ending, twice, or not
 * there.
 */
const listed = (names: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...names) },
    { weight: 1, arbitrary: fc.constantFrom(...names).map((name) => `${name}.ko`) },
    { weight: 1, arbitrary: fc.constantFrom(...names).map((name) => name.replaceAll("_", "-")) },
    { weight: 2, arbitrary: fc.constant("") },
    { weight: 1, arbitrary: fc.constantFrom(...MISSING) },
  );

/** A list of early modules, in any order, with repetitions and holes. */
export const bootList = (modules: readonly ExampleModule[]): fc.Arbitrary<readonly string[]> =>
  fc.array(listed(modules.map(({ name }) => name)), { maxLength: 5, size: "max" });

const mode = fc.oneof(
  { weight: 16, arbitrary: fc.constant("kvm-arm.mode=protected") },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "kvm-arm.mode=nvhe",
      "kvm-arm.mode=none",
      "kvm-arm.mode=nonsense",
      "kvm-arm.mode",
      "kvm_arm.mode=protected",
      "kvm-arm.mode=nvhe kvm-arm.mode=protected",
      "kvm-arm.mode=protected -- kvm-arm.mode=none",
    ),
  },
);

/** Programs for the modules that run some. */
const programs = (modules: readonly ExampleModule[]): fc.Arbitrary<readonly string[]> =>
  fc.tuple(
    ...modules
      .filter(({ runsPrograms }) => runsPrograms)
      .map(({ name }) => program.map((text) => `${name}.seq=${text}`)),
  );

const commandLine = (modules: readonly ExampleModule[]): fc.Arbitrary<string> =>
  fc
    .tuple(mode, bootList(modules), programs(modules))
    .map(([asked, names, sequences]) =>
      [asked, `kvm-arm.protected_modules=${names.join(",")}`, ...sequences].join(" "),
    );

/** One module in the initramfs, needing at most one other: a circle is possible. */
const entry = (
  { name, file }: ExampleModule,
  names: readonly string[],
): fc.Arbitrary<InitramfsModule> =>
  fc
    .oneof(
      { weight: 6, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.constantFrom(...names).map((needed) => [needed]) },
    )
    .map((needs) => ({ name, file, needs }));

/** A fault at every step of a load that can fail by itself. */
export const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({
    call: fc.constant("__pkvm_alloc_module_va" as const),
    nth: fc.nat(2),
    errno: fc.constant("ENOMEM" as const),
  }),
  fc.record({
    call: fc.constant("__pkvm_map_module_page" as const),
    nth: fc.nat(9),
    errno: fc.constantFrom("EPERM" as const, "ENOMEM" as const, "EINVAL" as const),
  }),
  fc.record({
    call: fc.constant("call_usermodehelper_exec" as const),
    nth: fc.nat(3),
    errno: fc.constantFrom("ENOMEM" as const, "ENOENT" as const, "EACCES" as const),
  }),
);

/** The size of the firmware region that the traces had. */
export const FIRMWARE_BYTES = 1 << 20;

/** A boot with all of `modules` in its initramfs. */
export const boot = (modules: readonly ExampleModule[]): fc.Arbitrary<BootPlan> =>
  fc.record({
    commandLine: commandLine(modules),
    firmwareBytes: fc.constantFrom(0, FIRMWARE_BYTES),
    modprobe: fc.constantFrom("kmod" as const, "stand-in" as const),
    modulePath: fc.constantFrom("", "", "/vendor_dlkm/lib/modules"),
    initramfs: fc.tuple(
      ...modules.map((module) =>
        entry(
          module,
          modules.map(({ name }) => name),
        ),
      ),
    ),
    faults: fc.oneof(
      { weight: 3, arbitrary: fc.constant([]) },
      { weight: 1, arbitrary: fc.array(fault, { minLength: 1, maxLength: 2 }) },
    ),
  });
