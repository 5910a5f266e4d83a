// Writes an initramfs: the "newc" archive that the kernel unpacks at boot, device nodes included.

/** One entry. Source: Linux, Documentation/driver-api/early-userspace/buffer-format.rst. */
export type CpioEntry =
  | { readonly kind: "folder"; readonly name: string }
  | { readonly kind: "program" | "file"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: "character-device"; readonly name: string; readonly device: Device };

interface Device {
  readonly major: number;
  readonly minor: number;
}

const MODES = {
  folder: 0o040755,
  program: 0o100755,
  file: 0o100644,
  "character-device": 0o020600,
} as const;

const NO_DEVICE: Device = { major: 0, minor: 0 };

const hex8 = (value: number): string => value.toString(16).padStart(8, "0");

/** Zero bytes up to the next multiple of four. */
const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);

function entryBytes(
  inode: number,
  mode: number,
  name: string,
  content: { readonly bytes: Uint8Array; readonly device: Device },
): readonly Uint8Array[] {
  const { bytes, device } = content;
  const fields = [
    ...[inode, mode, 0, 0, 1, 0, bytes.length, 0, 0],
    ...[device.major, device.minor, name.length + 1, 0],
  ];
  const head = Buffer.from(`070701${fields.map(hex8).join("")}${name}\0`, "latin1");
  return [head, padding(head.length), bytes, padding(bytes.length)];
}

/** The archive, ended as the kernel wants it. */
export function cpioArchive(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.flatMap((entry, index) => {
    const bytes = "bytes" in entry ? entry.bytes : new Uint8Array();
    const device = "device" in entry ? entry.device : NO_DEVICE;
    return entryBytes(index + 1, MODES[entry.kind], entry.name, { bytes, device });
  });
  const trailer = entryBytes(0, 0, "TRAILER!!!", { bytes: new Uint8Array(), device: NO_DEVICE });
  return Buffer.concat([...parts, ...trailer]);
}
