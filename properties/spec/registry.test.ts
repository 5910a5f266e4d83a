// The rules as a whole: each id once, each statement a sentence, each source a place on record.

import { describe, expect, test } from "vitest";
import { OVERRIDES } from "../../spec/branches/documented.ts";
import type { ClauseId, Invariant } from "../../spec/clause.ts";
import { EVERY_ACTION } from "../../spec/clauses/phrases.ts";
import { FINDINGS, findingOf } from "../../spec/findings.ts";
import { PAGE, type PageSentence } from "../../spec/page.ts";
import {
  CLAUSES,
  clauseOf,
  clausesOn,
  INVARIANTS,
  invariantOf,
  judgeState,
  judgeStep,
} from "../../spec/registry.ts";
import { type Source, TEXTS } from "../../spec/sources.ts";
import { INSTRUCTIONS, STATED_BY } from "./page.ts";
import { DEPRIVILEGED, hvc, POWER_ON, step, UNKNOWN } from "./tried.ts";

const RULES = [...CLAUSES, ...INVARIANTS];

/**
 * The recorded traces that rules may cite, and the two documents about the machines and the runs.
 */
const RECORDED = new Set(
  `npvm pvm pvm-mmioram pvm-nolegacy pvm-peek pvm-relinq pvm-share pvm-zero
   life-map-np life-map-p life-p life-teardown-loaded random-life-201 random-life-202 vmbad
   base create directed fw-missing-after-iommufin fw-modok fw-modok-iommufin fw-nomod
   host-hypercall-ids late machines
   mod-doubleload mod-empties mod-failinit mod-kvmoff mod-missing mod-missing-first
   mod-notprotected mod-ok mod-rawids mod-regbad0 mod-regbadk mod-regnoload mod-twice mod-two ops
   ops-inrange ops-permfault-nohandler peek poke random random-ops-101 rmmod textonly-fail
   textonly-ok`.split(/\s+/),
);

/**
 * The traces that a citation of the measurements names: before the first colon, builds left out.
 */
const tracesOf = ({ at }: Source): readonly string[] =>
  (at.split(":")[0] ?? "")
    .split(/,\s*|\s+/)
    .filter((word) => /^[a-z][a-z0-9-]*$/.test(word) && !["production", "el2debug"].includes(word));

describe.each(RULES.map((rule) => [rule.id, rule] as const))("%s", (_, rule) => {
  test("states one sentence in the present tense", () => {
    expect(rule.statement).toMatch(/^[A-Z].*\.$/);
    expect(rule.statement).not.toMatch(/\. [A-Z]/);
    expect(rule.statement.length).toBeLessThan(120);
    expect(rule.statement).not.toMatch(/\b(will|should)\b/);
  });

  test("has sources that say where", () => {
    expect(rule.source.length).toBeGreaterThan(0);
    for (const { text, at } of rule.source) {
      expect(TEXTS[text].pinned.length).toBeGreaterThan(0);
      expect(at.length).toBeGreaterThan(3);
    }
  });

  test("cites only traces that were recorded", () => {
    for (const source of rule.source.filter(({ text }) => text === "measured")) {
      const traces = tracesOf(source);
      expect(traces.length).toBeGreaterThan(0);
      for (const trace of traces) expect(RECORDED).toContain(trace);
    }
  });
});

test("ids are well formed, and no two rules have the same", () => {
  const ids = RULES.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids)
    expect(id).toMatch(/^(LIFE|LOAD|REG|DISP|OWN|VM|GUEST|SMC|ABI|DOC|MOD|INV)-[1-9]\d*$/);
});

test("rules of an area stand in the order of their numbers", () => {
  for (const area of [
    "LIFE",
    "LOAD",
    "REG",
    "DISP",
    "OWN",
    "VM",
    "GUEST",
    "SMC",
    "ABI",
    "DOC",
    "MOD",
  ]) {
    const numbers = CLAUSES.flatMap(({ id }) =>
      id.startsWith(`${area}-`) ? [Number(id.slice(area.length + 1))] : [],
    );
    const swaps = numbers.filter((number, at) => number < (numbers[at - 1] ?? 0));
    expect([area, swaps]).toEqual([area, []]);
  }
});

test("every rule is found by its id, and every clause under each of its actions", () => {
  for (const rule of CLAUSES) {
    expect(clauseOf(rule.id)).toBe(rule);
    expect(rule.on.length).toBeGreaterThan(0);
    for (const kind of rule.on) expect(clausesOn(kind)).toContain(rule);
  }
  for (const rule of INVARIANTS) expect(invariantOf(rule.id)).toBe(rule);
  expect(clauseOf("LIFE-9999")).toBeUndefined();
});

test("every kind of action has clauses of its own", () => {
  const general = CLAUSES.filter(({ on }) => on.length === EVERY_ACTION.length);
  const alone = EVERY_ACTION.filter((kind) => clausesOn(kind).length === general.length);
  expect(alone).toEqual([]);
});

describe("the page", () => {
  const quotes = (id: string): readonly string[] =>
    (RULES.find((rule) => rule.id === id)?.source ?? [])
      .filter(({ text }) => text === "page")
      .map(({ at }) => at);

  test.each(Object.keys(PAGE) as PageSentence[])("%s", (name) => {
    for (const id of STATED_BY[name]) expect(quotes(id)).toContain(PAGE[name]);
  });

  test("a documented rule quotes the page, and only sentences that are on it", () => {
    const sentences: readonly string[] = Object.values(PAGE);
    for (const { id, kind } of RULES) {
      expect([id, quotes(id).length > 0]).toEqual([id, kind === "documented"]);
      for (const quote of quotes(id)) expect(sentences).toContain(quote);
    }
  });

  test("every DOC clause states a promise, and no promise is an instruction as well", () => {
    const stated = new Set(Object.values(STATED_BY).flat());
    const documented = CLAUSES.filter(({ id }) => id.startsWith("DOC-"));
    expect([...stated].sort()).toEqual(documented.map(({ id }) => id).sort());
    for (const sentence of Object.values(PAGE)) expect(INSTRUCTIONS).not.toContain(sentence);
  });

  test("an override quotes a promise of the page and the clause that states it", () => {
    for (const override of OVERRIDES) {
      expect(quotes(override.clause)).toContain(override.sentence);
      expect(override.source.length).toBeGreaterThan(0);
    }
  });
});

describe("findings", () => {
  test("are of rules that exist, each once", () => {
    const rules = FINDINGS.map(({ rule }) => rule);
    expect(new Set(rules).size).toBe(rules.length);
    for (const rule of rules) {
      const found = clauseOf(rule as ClauseId) ?? invariantOf(rule as Invariant["id"]);
      expect(found?.id).toBe(rule);
    }
  });

  test("an override's clause is a finding on the branch and none on the documented system", () => {
    for (const { clause, on } of OVERRIDES) {
      for (const branch of on) {
        const config = { branch, build: "production", cpuCount: 2 } as const;
        expect(findingOf(clause, { ...config, documented: false })).toBeDefined();
        expect(findingOf(clause, { ...config, documented: true })).toBeUndefined();
      }
    }
  });
});

describe("judging", () => {
  test("a step that is not modelled is judged by no clause", () => {
    const unknown = { kind: "unmodelled", what: "__kvm_vcpu_run" } as const;
    expect(judgeStep(step(DEPRIVILEGED, hvc(0xc600_0016n), unknown))).toEqual([]);
  });

  test("a good step is judged by the clauses that apply to it and found right", () => {
    const judgements = judgeStep(step(DEPRIVILEGED, hvc(0xc600_0010n), UNKNOWN));
    const ids = judgements.map(({ rule }) => rule.id);
    expect(ids).toEqual(expect.arrayContaining(["LOAD-31", "DISP-2", "DISP-12", "DISP-13"]));
    expect(judgements.flatMap(({ wrong }) => wrong)).toEqual([]);
  });

  test("a wrong step and a wrong state are found wrong", () => {
    const late = step(DEPRIVILEGED, hvc(0xc600_0010n), { kind: "hcall", x0: 0n, x1: 129n });
    const wrong = judgeStep(late).filter((judgement) => judgement.wrong.length > 0);
    expect(wrong.map(({ rule }) => rule.id)).toEqual(["LOAD-31", "DISP-2", "DOC-6"]);
    const early = { ...POWER_ON, boot: { ...POWER_ON.boot, key: true } };
    const broken = judgeState(early).filter((judgement) => judgement.wrong.length > 0);
    expect(broken.map(({ rule }) => rule.id)).toContain("INV-8");
  });
});
