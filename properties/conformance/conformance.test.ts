// The model against recorded runs of real pKVM: every record of boot, load, registration, HVC and
// unload, of who owns a page, and of what the host reads.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compareTrace } from "./compare.ts";
import { readImages, readTraces } from "./folder.ts";
import { conformanceTable, countsOf, leftReasons, mismatchLines } from "./table.ts";
import { readTrace } from "./trace.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const FILES = new Map([
  ["ovm", readFileSync(at("../../examples/measurement/ovm.ko"))],
  ["ovmt", readFileSync(at("../../examples/measurement-textonly/ovmt.ko"))],
  ...readImages(at("../../examples/guests")),
]);

const read = readTraces(at("traces"));
const TRACES = read.ok ? read.traces : [];
const RESULTS = TRACES.map(({ name, trace }) => ({ name, result: compareTrace(trace, FILES) }));

describe("recorded traces", () => {
  it("are all there, of both builds of android14 and of three other kernels", () => {
    expect(read).toMatchObject({ ok: true });
    expect(TRACES).toHaveLength(118);
  });

  it.each(RESULTS)("$name", (named) => {
    expect(mismatchLines(named).join("\n")).toBe("");
    const { records, headings, matched, left, mismatched } = countsOf(named.result);
    expect(headings + matched + left + mismatched).toBe(records);
    expect(matched).toBeGreaterThan(0);
  });

  it("leave nothing", () => {
    console.info(`\n${conformanceTable(RESULTS)}`);
    const reasons = leftReasons(RESULTS.map(({ result }) => result)).map(([why]) => why);
    expect(reasons).toEqual([]);
  });
});

/** A trace with one record changed must not match: otherwise the comparison sees nothing. */
const CHANGES: readonly (readonly [string, string, string])[] = [
  ["mod-ok", '"out": ["0x0", "0x33", "0x0", "0xcc"]', '"out": ["0x0", "0x33", "0x0", "0xcd"]'],
  ["mod-ok", '"changed": ["x0", "x1", "x2"]', '"changed": ["x0", "x1"]'],
  ["mod-ok", '"ret": 129', '"ret": 130'],
  ["mod-ok", '"token": "mod(ovm)"', '"token": "mod(ovm)+0x1000"'],
  ["mod-ok", '"a3": "0xcc"', '"a3": "0xcb"'],
  ["mod-doubleload", '"token": "mod(ovm#2)"', '"token": "mod(ovm)"'],
  ["mod-missing", "nosuch: 256", "nosuch: 512"],
  ["mod-missing", '"argv": "-q -- nosuch"', '"argv": "-- nosuch"'],
  ["mod-twice", '"status": 17', '"status": 16'],
  ["mod-regbadk", "0x86000004", "0x86000005"],
  ["mod-regbadk", "address without a symbol", "__kvm_nvhe_do_donate"],
  ["textonly-fail", '"n": 1, "op": "loadfail"', '"n": 2, "op": "loadfail"'],
  ["late", '"status": 95', '"status": 1'],
  ["rmmod", '"cmd": "rmmod ovm", "status": 1', '"cmd": "rmmod ovm", "status": 0'],
  ["ops", '"at": "A.pa", "fault": true', '"at": "A.pa", "fault": false, "val": "0x0"'],
  ["ops", '"at": "A.pa", "fault": false, "val": "0x0"', '"at": "A.pa", "fault": true'],
  ["ops", '["0x0", "0x0", "0x4", "0x3"]', '["0x0", "0x0", "0x10", "0x3"]'],
  ["ops", '"pfn(D+1)"', '"pfn(D)"'],
  ["ops", '"mod(ovm)+0x128"', '"mod(ovm)+0x12c"'],
  ["ops", "__kvm_nvhe_do_donate", "__kvm_nvhe_handle_host_mem_abort"],
  ["ops-inrange", '["0x5151", "0x6",', '["0x5151", "0x5",'],
  ["ops-inrange", '["0x0", "0x1", "0x3", "0xa0a00003"]', '["0x0", "0x0", "0x3", "0xa0a00003"]'],
  ["random-ops-101", '"val": "el2va(R0)"', '"val": "el2va(R1)"'],
  ["random-ops-101", "pa(R3)+0x800000000007ff", "pa(R3)+0x7ff"],
  ["random", '"0xffffffffffffffff"', '"0x0"'],
  ["create", '"errno": 22', '"errno": 17'],
  ["pvm-peek", '"out": ["0x3fd",', '"out": ["0x207",'],
  ["pvm-peek", '"esr_el1": "0x96000010"', '"esr_el1": "0x96000050"'],
  ["pvm-peek", '"before_replay": true', '"before_replay": false'],
  ["pvm-peek", '"outcome": "did not return"', '"val": "0x0"'],
  ["pvm-relinq", '"sysevent": 1', '"sysevent": 2'],
  ["pvm-relinq", 'WARNING", "status": 1', 'WARNING", "status": 0'],
  ["npvm", '"offset": "0x20000", "val": "0x77"', '"offset": "0x20000", "val": "0x0"'],
  [
    "base",
    '["0xfffffffffffffffc", "0x0", "0x0", "0x0"]',
    '["0xfffffffffffffffe", "0x0", "0x0", "0x0"]',
  ],
  [
    "base",
    '"0x84000060", "0x0", "0xffffffffffffffff"',
    '"0x84000060", "0x0", "0xfffffffffffffffe"',
  ],
  ["life-p", '"out": ["0x0", "0x1000", ', '"out": ["0x0", "0x1001", '],
  ["life-p", '"at": "HV.pa", "fault": true', '"at": "HV.pa", "fault": false, "val": "0x0"'],
  ["life-map-p", '"val": "pa(HV+1)"', '"val": "pa(HV)"'],
  [
    "life-map-p",
    '"at": "K.pa+3008", "fault": false, "val": "0x8"',
    '"at": "K.pa+3008", "fault": false, "val": "0x7"',
  ],
  ["life-map-np", '"at": "G.pa", "fault": false, "val": "0x0"', '"at": "G.pa", "fault": true'],
  ["life-teardown-loaded", "__kvm_nvhe___pkvm_start_teardown_vm", "__kvm_nvhe_do_donate"],
  ["vmbad", '"0xffffffffffffffed"', '"0xffffffffffffffea"'],
  ["mod-kvmoff", '"0xbadca11"', '"0xffffffffffffffff"'],
];

describe("a record that is changed", () => {
  it.each(CHANGES)("%s: %s", (name, from, to) => {
    const text = readFileSync(at(`traces/android14-6.1.145-production/${name}.jsonl`), "utf8");
    expect(text).toContain(from);
    const changed = readTrace(text.replace(from, to));
    if (!changed.ok) throw new Error(changed.error);
    const result = compareTrace(changed.trace, FILES);
    expect(countsOf(result).mismatched).toBeGreaterThan(0);
    expect(mismatchLines({ name, result }).join("\n")).toMatch(/model .*\n {2}real .*/);
  });
});

describe("a file that is no trace", () => {
  const GOOD = readFileSync(at("traces/android14-6.1.145-production/mod-ok.jsonl"), "utf8");
  it.each([
    ["empty", "", /^line 1: not JSON$/],
    ["no header", '{"end": true}\n', /^line 1: trace: /],
    ["cut off", GOOD.slice(0, -5), /^line \d+: not JSON$/],
    ["a call on no CPU", GOOD.replace('"cpu": 0', '"cpu": -1'), /^line \d+: cpu: /],
    ["a record of nothing", `${GOOD}{"a": 1}\n`, /^line \d+: /],
    ["no modules", GOOD.replace(/"modules": \[.*?\], /, '"modules": [], '), /^line 1: modules: /],
  ])("%s", (_, text, expected) => {
    const result = readTrace(text);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error).toMatch(expected);
  });
});
