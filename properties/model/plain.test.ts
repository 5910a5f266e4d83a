// An effect by plain copies: what it changes is in the state after, what it leaves is shared.

import { expect, test } from "vitest";
import { initialHyp } from "../../model/initial.ts";
import { plainly } from "../../model/plain.ts";
import { returned } from "../../spec/types/outcome.ts";

const PRE = initialHyp(
  { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  0,
);

test("one part that changes is another one, and all others are the same", () => {
  const { post, outcome } = plainly(PRE, (draft) => {
    draft.boot.key = true;
    return returned(7);
  });
  expect(outcome).toEqual(returned(7));
  expect(PRE.boot.key).toBe(false);
  expect(post).toEqual({ ...PRE, boot: { ...PRE.boot, key: true } });
  expect(post.dispatch).toBe(PRE.dispatch);
});

test("two parts that change are both in the state after", () => {
  const { post } = plainly(PRE, (draft) => {
    draft.boot.key = true;
    draft.firmware.content = "zero";
    return returned(0);
  });
  expect(post.boot.key).toBe(true);
  expect(post.firmware.content).toBe("zero");
});

test("an effect that changes nothing leaves the state itself", () => {
  expect(plainly(PRE, () => returned(0)).post).toBe(PRE);
});

test("what is written over with the same leaves the state itself", () => {
  const { post } = plainly(PRE, (draft) => {
    draft.boot.key = false;
    draft.dispatch.dynamicHcalls.push(0x40n as never);
    draft.dispatch.dynamicHcalls.pop();
    draft.psci.power[0] = "on";
    return returned(0);
  });
  expect(post).toBe(PRE);
});
