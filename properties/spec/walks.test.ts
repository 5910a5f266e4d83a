// Every walk asks for what the model knows, so that its steps are judged and not left out; and none
// breaks a rule that nobody expects it to break.

import { expect, test } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { findingOf } from "../../spec/findings.ts";
import { unknownOn } from "../support/walk-stops.ts";
import { play, WALKS } from "../support/walks.ts";

test.each(WALKS.map((walk) => [walk.name, walk] as const))("%s", (_, walk) => {
  const steps = play(walk);
  expect(unknownOn(walk, steps)).toBeUndefined();
  const surprises = checkSteps(steps).violations.filter(
    ({ rule }) => !walk.breaks.includes(rule) && findingOf(rule, walk.system) === undefined,
  );
  expect(surprises).toEqual([]);
});
