// Every walk asks for what the model knows, so that its steps are judged and not left out.

import { expect, test } from "vitest";
import { unknownOn } from "../support/walk-stops.ts";
import { play, WALKS } from "../support/walks.ts";

test.each(WALKS.map((walk) => [walk.name, walk] as const))("%s", (_, walk) => {
  expect(unknownOn(walk, play(walk))).toBeUndefined();
});
