// The two modprobes: exit codes, dependencies, parameters, and lists that go in circles.

import { describe, expect, test } from "vitest";
import { kmod, type ModprobeHost, standIn } from "../../../model/kernel/modprobe.ts";
import type { InitramfsModule } from "../../../model/scenario.ts";

/** A file of the initramfs. */
const file = (name: string, ...needs: string[]): InitramfsModule => ({
  name,
  file: `${name}.ko`,
  needs,
});

/** A host whose finit_module answers from a table, and what was asked of it. */
function host(
  initramfs: readonly InitramfsModule[],
  { commandLine = "", loaded = [] as string[], answers = {} as Record<string, number> } = {},
) {
  const asked: string[] = [];
  const exits: (string | number)[][] = [];
  const value: ModprobeHost = {
    initramfs,
    commandLine,
    loaded: (name) => loaded.includes(name),
    finitModule: ({ name }, parameters) => {
      asked.push(`${name} ${parameters}`.trim());
      return answers[name] ?? 0;
    },
    exited: (...args) => exits.push(args),
  };
  return { value, asked, exits };
}

describe("the stand-in of the traces", () => {
  test("a file that is not there is exit code 1", () => {
    const { value, asked, exits } = host([file("ovm")]);
    expect(standIn(["nosuch"], value)).toBe(1);
    expect(asked).toEqual([]);
    expect(exits).toEqual([["nosuch", "", 1]]);
  });

  test("its exit code is the errno, and parameters come from the command line", () => {
    const { value, asked, exits } = host([file("ovm")], {
      commandLine: "ovm.seq=load,reg quiet ovm.el1ret=3 ovmt.seq=load",
      answers: { ovm: -17 },
    });
    expect(standIn(["ovm"], value)).toBe(17);
    expect(asked).toEqual(["ovm  seq=load,reg el1ret=3"]);
    expect(exits).toEqual([["ovm", " seq=load,reg el1ret=3", 17]]);
  });
});

describe("kmod", () => {
  test("a name with .ko and with a dash is found", () => {
    const { value, asked } = host([file("my_mod")]);
    expect(kmod(["my-mod.ko"], value)).toBe(0);
    expect(asked).toEqual(["my_mod"]);
  });

  test("what a module needs is loaded first, each once", () => {
    const { value, asked } = host([file("a", "b", "c"), file("b", "d"), file("c", "d"), file("d")]);
    expect(kmod(["a"], value)).toBe(0);
    expect(asked).toEqual(["d", "b", "c", "a"]);
  });

  test("a module that is loaded already is no error and is not asked for", () => {
    const { value, asked } = host([file("a")], { loaded: ["a"] });
    expect(kmod(["a"], value)).toBe(0);
    expect(asked).toEqual([]);
  });

  test("a missing name and a failing load are exit code 1", () => {
    expect(kmod(["nosuch"], host([]).value)).toBe(1);
    expect(kmod(["a"], host([file("a")], { answers: { a: -22 } }).value)).toBe(1);
  });

  test("a dependency that fails ends the attempt", () => {
    const { value, asked } = host([file("a", "b"), file("b")], { answers: { b: -12 } });
    expect(kmod(["a"], value)).toBe(1);
    expect(asked).toEqual(["b"]);
  });

  test("a circle of dependencies ends", () => {
    const { value, asked } = host([file("a", "b"), file("b", "a")]);
    expect(kmod(["a"], value)).toBe(0);
    expect(asked).toEqual(["b", "a"]);
  });

  test("a chain of 10,000 dependencies ends", () => {
    const chain = Array.from({ length: 10_000 }, (_, n) => file(`m${n}`, `m${n + 1}`));
    const { value, asked } = host(chain);
    expect(kmod(["m0"], value)).toBe(0);
    expect(asked).toHaveLength(10_000);
    expect(asked[0]).toBe("m9999");
  });
});
