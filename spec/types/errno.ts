// The errno values that pKVM and the kernel answer with, by name.

/** Source: include/uapi/asm-generic/errno-base.h and errno.h, the numbers of the Linux ABI. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ERANGE: 34,
  ENOSYS: 38,
  EOPNOTSUPP: 95,
} as const;

export type Errno = keyof typeof ERRNO;

/** The negative number that a kernel function returns for an errno. */
export const negative = (errno: Errno): number => -ERRNO[errno];

/** A negative number as the name of its errno, or the number itself. */
export function errnoName(value: number): string {
  for (const [name, number] of Object.entries(ERRNO)) {
    if (value === -number) return `-${name}`;
  }
  return String(value);
}
