// Memory types as tables. Expected: DDI0487 D8.6 and D24.2.97 MAIR_EL1.

import { describe, expect, test } from "vitest";
import {
  combineAttributes,
  combineAttributesForced,
  isDevice,
  isWriteBack,
  stage1Attributes,
  stage2Attributes,
} from "../../../cpu/mmu/memory-attributes.ts";

const attr = (value: number, sh = 0) => ({ attr: value, sh });

describe("stage 1", () => {
  test.each([
    [0x00, true, 0x00],
    [0x04, true, 0x04],
    [0x08, true, 0x08],
    [0x0c, true, 0x0c],
    [0x44, false, 0x44],
    [0xff, false, 0xff],
    [0xbb, false, 0xbb],
    [0xf0, false, 0xf0],
  ])("MAIR field %s: device %s", (field, device, expected) => {
    const attributes = stage1Attributes(field, 3, true);
    expect(isDevice(attributes)).toBe(device);
    expect(attributes.attr).toBe(expected);
  });

  test("without MTE the Tagged encoding is Device", () => {
    expect(isDevice(stage1Attributes(0xf0, 3, false))).toBe(true);
  });

  test("Device and Non-cacheable are outer shareable", () => {
    expect(stage1Attributes(0x00, 0, true).sh).toBe(2);
    expect(stage1Attributes(0x44, 3, true).sh).toBe(2);
    expect(stage1Attributes(0xff, 3, true).sh).toBe(3);
  });
});

describe("stage 2, MemAttr without FWB", () => {
  test.each([
    [0b0000, 0x00],
    [0b0001, 0x04],
    [0b0010, 0x08],
    [0b0011, 0x0c],
    [0b0101, 0x44],
    [0b1010, 0xaa],
    [0b1111, 0xff],
    [0b0111, 0x4f],
    [0b1101, 0xf4],
  ])("%s is %s", (memAttr, expected) => {
    expect(stage2Attributes(memAttr, 3).attr).toBe(expected);
  });
});

describe("both stages", () => {
  test.each([
    // Device beats Normal; of two Device types the stricter one.
    [0x00, 0xff, 0x00],
    [0xff, 0x04, 0x04],
    [0x0c, 0x04, 0x04],
    [0x04, 0x08, 0x04],
    // The less cacheable of each half.
    [0xff, 0xff, 0xff],
    [0xff, 0x44, 0x44],
    [0x44, 0xff, 0x44],
    [0xff, 0xaa, 0xaa],
    [0xf4, 0xff, 0xf4],
    [0xff, 0x4f, 0x4f],
    // Tags stay where stage 2 is write-back.
    [0xf0, 0xff, 0xf0],
    [0xf0, 0x44, 0x44],
    [0xf0, 0x00, 0x00],
  ])("%s and %s give %s", (s1, s2, expected) => {
    expect(combineAttributes(attr(s1), attr(s2)).attr).toBe(expected);
  });

  test.each([
    [0, 0, 0],
    [0, 3, 3],
    [3, 0, 3],
    [3, 2, 2],
    [2, 0, 2],
  ])("shareability %s and %s give %s", (s1, s2, expected) => {
    expect(combineAttributes(attr(0xff, s1), attr(0xff, s2)).sh).toBe(expected);
  });
});

describe("HCR_EL2.FWB", () => {
  test.each([
    // 110 forces write-back, even over Device; 111 keeps stage 1; 101 is Non-cacheable unless
    // stage 1 is Device; 0xx is Device.
    [0x00, 0b0110, 0xff],
    [0x44, 0b0110, 0xff],
    [0xf0, 0b0110, 0xf0],
    [0x04, 0b0111, 0x04],
    [0x44, 0b0111, 0x44],
    [0xff, 0b0111, 0xff],
    [0xff, 0b0101, 0x44],
    [0x08, 0b0101, 0x08],
    [0xff, 0b0001, 0x04],
    [0x00, 0b0001, 0x00],
  ])("stage 1 %s with MemAttr %s gives %s", (s1, memAttr, expected) => {
    expect(combineAttributesForced(attr(s1, 3), memAttr, 3).attr).toBe(expected);
  });
});

test.each([
  [0xff, true],
  [0x77, true],
  [0xf0, true],
  [0xaa, false],
  [0xf4, false],
  [0x44, false],
])("%s is write-back in both caches: %s", (value, expected) => {
  expect(isWriteBack(attr(value))).toBe(expected);
});
