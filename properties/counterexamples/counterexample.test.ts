// The file format: what is written can be read, and what does not fit is one line with its place.

import { describe, expect, it } from "vitest";
import {
  type Counterexample,
  formatCounterexample,
  parseCounterexample,
} from "../../counterexamples/counterexample.ts";

const EXAMPLE: Counterexample = {
  name: "DOC-10-android14-6.1-production",
  verdict: "finding",
  clause: "DOC-10",
  sentence: "a protected VM was created",
  scenario: {
    system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
    boot: {
      commandLine: "kvm-arm.mode=protected kvm-arm.protected_modules=nosuch",
      firmwareBytes: 0,
      modprobe: "stand-in",
      modulePath: "",
      initramfs: [{ name: "ovm", file: "examples/measurement/ovm.ko", needs: [] }],
      faults: [{ call: "__pkvm_map_module_page", nth: 3, errno: "EPERM" }],
    },
    actions: [
      { kind: "hvc", cpu: 1, imm: 5, x: [0xffff_ffff_c600_0080n, 0n] },
      { kind: "KVM_CREATE_VM", vm: 0, type: 0x8000_0000 },
      { kind: "KVM_SET_FW_IPA", vm: 0, ipa: 0x8000_0000n },
    ],
  },
  options: { budget: 1000, el2Only: false, stubs: { clk_get: 0n } },
  found: { by: "a test", from: 9, runs: 4 },
  steps: ["kvm_arm_init -> 0"],
};

describe("a counterexample", () => {
  it("is read as it was written", () => {
    const parsed = parseCounterexample(formatCounterexample(EXAMPLE));
    expect(parsed).toEqual({ ok: true, counterexample: EXAMPLE });
  });

  it("writes 64-bit values as hexadecimal strings", () => {
    expect(formatCounterexample(EXAMPLE)).toContain('"0xffffffffc6000080"');
  });
});

/** The stored form, as far as these tests change it. */
interface Json {
  readonly boot: object;
  readonly system: object;
  readonly actions: readonly object[];
}

/** A change of the stored form, and what the reader says of it. */
const BROKEN: readonly (readonly [string, (json: Json) => unknown, RegExp])[] = [
  ["no version", (json) => ({ ...json, format: undefined }), /^format: /],
  ["another version", (json) => ({ ...json, format: 2 }), /^format: .*1/],
  ["an unknown key", (json) => ({ ...json, extra: 1 }), /extra/],
  ["an unknown branch", withSystem({ branch: "android13" }), /^system\.branch: .*android14-6\.1/],
  ["an empty initramfs", withBoot({ initramfs: [] }), /^boot\.initramfs: the initramfs is empty/],
  ["10,000 names", withBoot({ commandLine: "a,".repeat(10_000) }), /^boot\.commandLine: longer/],
  ["a CPU that is not there", withAction({ cpu: 2 }), /^actions\.0\.cpu: the system has 2 CPUs/],
  ["a number for a register", withAction({ x: [1] }), /^actions\.0\.x\.0: /],
  ["a register of 65 bits", withAction({ x: ["0x10000000000000000"] }), /^actions\.0\.x\.0: /],
  ["an action of no kind", withAction({ kind: "reboot" }), /^actions\.0\.kind: /],
  ["a name with a slash", (json) => ({ ...json, name: "../x" }), /^name: /],
  ["a list", () => [], /^the file: /],
];

function withBoot(change: object) {
  return (json: Json) => ({
    ...json,
    boot: { ...json.boot, ...change },
  });
}
function withSystem(change: object) {
  return (json: Json) => ({
    ...json,
    system: { ...json.system, ...change },
  });
}
function withAction(change: object) {
  return (json: Json) => {
    const [first, ...others] = json.actions;
    return { ...json, actions: [{ ...first, ...change }, ...others] };
  };
}

describe("a file that does not fit", () => {
  it.each(BROKEN)("%s", (_, change, expected) => {
    const json = JSON.parse(formatCounterexample(EXAMPLE)) as Json;
    const parsed = parseCounterexample(JSON.stringify(change(json)));
    expect(parsed.ok).toBe(false);
    if (parsed.ok) return;
    expect(parsed.error).toMatch(expected);
    expect(parsed.error).not.toContain("\n");
  });

  it.each(["", "{", "\0", "nul"])("is not JSON: %j", (text) => {
    const parsed = parseCounterexample(text);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.error).toMatch(/^not JSON: [^\n]+$/);
  });
});
