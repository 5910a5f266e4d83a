// The lines between us and the real machine: what is sent, what comes back, what is damaged.

import { describe, expect, it } from "vitest";
import { windowsOf } from "../../tools/oracle/live-machine.ts";
import { decodeLine, encodeRequest, lineHash } from "../../tools/oracle/protocol.ts";

/** Source: RFC 9923, the test vectors of FNV-1a with 32 bits. */
const HASHES = [
  ["", 0x811c9dc5],
  ["a", 0xe40c292c],
  ["foobar", 0xbf9cf968],
] as const;

const withHash = (text: string): string => `${text}#${lineHash(text).toString(16)}`;

describe("the hash of a line", () => {
  it.each(HASHES)("of %j", (text, hash) => {
    expect(lineHash(text)).toBe(hash);
  });
});

describe("requests", () => {
  it.each([
    [{ kind: "hvc", cpu: 1, imm: 5, x: [0xc600_0009n, 0x4_2410n] }, "H 7 1 5 c6000009 42410"],
    [{ kind: "smc", cpu: 0, x: [0x8400_0000n] }, "S 7 0 0 84000000"],
    [{ kind: "host_read", cpu: 1, address: 0x4241_0008n }, "R 7 1 0 42410008"],
    [{ kind: "host_write", cpu: 0, address: 0x4241_0000n, value: 0xffn }, "W 7 0 0 42410000 ff"],
    [{ kind: "alloc", pages: 8 }, "A 7 0 8"],
  ] as const)("a request %#", (request, words) => {
    expect(encodeRequest(7, request)).toBe(`>${withHash(words)}\n`);
  });

  it("are sent in runs that fit into the buffer of a terminal, in order", () => {
    const lines = Array.from({ length: 1000 }, (_, n) =>
      encodeRequest(n, { kind: "alloc", pages: 1 }),
    );
    const windows = windowsOf(lines);
    expect(windows.flat()).toEqual(lines);
    expect(windows.length).toBeGreaterThan(1);
    for (const window of windows) expect(window.join("").length).toBeLessThan(4096);
  });
});

describe("lines of the machine", () => {
  const answer = withHash("<2a 0 3 0 ffffffffffffffea a0a00002 a0a00003");
  const decoded = {
    kind: "reply",
    reply: {
      ...{ serial: 0x2a, errno: 0, changed: 3 },
      x: [0n, 0xffff_ffff_ffff_ffean, 0xa0a0_0002n, 0xa0a0_0003n],
    },
  };

  it("an answer", () => {
    expect(decodeLine(answer)).toEqual(decoded);
  });

  it("an answer after the rest of a line of the kernel", () => {
    expect(decodeLine(`[    1.234567] random: crng init done${answer}`)).toEqual(decoded);
  });

  it("words about itself", () => {
    expect(decodeLine(withHash("<ready"))).toEqual({ kind: "ready" });
    expect(decodeLine(withHash("<damaged"))).toEqual({ kind: "damaged" });
    const refused = { kind: "refused", why: "module refused" };
    expect(decodeLine(withHash("<module refused"))).toEqual(refused);
  });

  it("a line with any one character changed is no answer", () => {
    for (let at = 0; at < answer.length; at++) {
      const other = answer[at] === "1" ? "2" : "1";
      const damaged = `${answer.slice(0, at)}${other}${answer.slice(at + 1)}`;
      expect(decodeLine(damaged)).toEqual({ kind: "console", text: damaged });
    }
  });

  it.each(["", "<", "#", "<#811c9dc5", "Kernel panic - not syncing: HYP panic:"])("%j", (text) => {
    expect(decodeLine(text).kind).toBe("console");
  });
});
