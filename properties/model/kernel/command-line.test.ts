// The command line, rule by rule of parse_args and of the two pKVM parameters.

import { describe, expect, test } from "vitest";
import { initialHyp } from "../../../model/initial.ts";
import { COMMAND_LINE_SIZE, parseArgs, sameParameter } from "../../../model/kernel/command-line.ts";
import { step } from "../../../model/step.ts";

const BEFORE = initialHyp(
  { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  0,
);

/** What the kernel keeps of a command line, and how many parameters it warned of. */
function booted(commandLine: string): { mode: string; modules: string; malformed: bigint } {
  const { post, outcome } = step(BEFORE, { kind: "parse_early_param", commandLine });
  if (outcome.kind !== "returned") throw new Error("parse_early_param returns a number");
  return {
    mode: post.boot.mode,
    modules: post.boot.protectedModules,
    malformed: outcome.value,
  };
}

describe("parse_args", () => {
  test.each([
    [
      "a=1 b",
      [
        { name: "a", value: "1" },
        { name: "b", value: undefined },
      ],
    ],
    [
      "  a=1\t\n b=2 ",
      [
        { name: "a", value: "1" },
        { name: "b", value: "2" },
      ],
    ],
    [
      'a="x y" b=2',
      [
        { name: "a", value: "x y" },
        { name: "b", value: "2" },
      ],
    ],
    [
      '"a=x y" b',
      [
        { name: "a", value: "x y" },
        { name: "b", value: undefined },
      ],
    ],
    ["a=b=c", [{ name: "a", value: "b=c" }]],
    ["a=", [{ name: "a", value: "" }]],
    ["a=1 -- b=2", [{ name: "a", value: "1" }]],
    ["", []],
  ])("splits %j", (line, expected) => {
    expect(parseArgs(line)).toEqual(expected);
  });

  test("a quote that is never closed takes the rest of the line", () => {
    expect(parseArgs('a="x y b=2')).toEqual([{ name: "a", value: "x y b=2" }]);
  });

  test("dashes and underscores in a name are the same", () => {
    expect(sameParameter("kvm-arm.protected_modules", "kvm_arm.protected-modules")).toBe(true);
    expect(sameParameter("kvm-arm.mode", "kvm-arm.modes")).toBe(false);
  });

  test("what is beyond COMMAND_LINE_SIZE is lost", () => {
    const line = `${"x".repeat(COMMAND_LINE_SIZE)} kvm-arm.mode=protected`;
    expect(booted(line).mode).toBe("vhe");
  });
});

describe("kvm-arm.mode", () => {
  test.each([
    ["", "vhe", 0n],
    ["kvm-arm.mode=none", "none", 0n],
    ["kvm-arm.mode=nvhe", "nvhe", 0n],
    ["kvm-arm.mode=protected", "protected", 0n],
    ["kvm-arm.mode=protected kvm-arm.mode=nvhe", "nvhe", 0n],
    ["kvm-arm.mode=protected kvm-arm.mode=pkvm", "protected", 1n],
    ["kvm-arm.mode=protected kvm-arm.mode", "protected", 1n],
    ["kvm-arm.mode=Protected", "vhe", 1n],
    ["id_aa64mmfr1.vh=0", "nvhe", 0n],
    ["kvm-arm.mode=protected id_aa64mmfr1.vh=0", "protected", 0n],
  ])("%j gives %s", (line, mode, malformed) => {
    expect(booted(line)).toMatchObject({ mode, malformed });
  });
});

describe("kvm-arm.protected_modules", () => {
  test.each([
    ["kvm-arm.protected_modules=a,b", "a,b", 0n],
    ["kvm-arm.protected_modules=a kvm-arm.protected_modules=b,c", "b,c", 0n],
    ["kvm-arm.protected_modules=", "", 0n],
    ["kvm-arm.protected_modules=a kvm-arm.protected_modules", "a", 1n],
    ["kvm_arm.protected-modules=a", "a", 0n],
  ])("%j keeps %j", (line, modules, malformed) => {
    expect(booted(line)).toMatchObject({ modules, malformed });
  });
});
