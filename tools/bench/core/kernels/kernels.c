/*
 * Eight workloads for engines that execute A64: integer code as compilers make it, and one loop by
 * hand. No libc, no floating point, no system registers, no system calls.
 *
 * bench(x0 = kernel, x1 = iterations, x2 = scratch, 1 MiB, page aligned) returns a checksum in x0
 * that depends on every iteration. On other machines than AArch64 the C is the same, so that the
 * checksums can be had without an engine; the loop by hand has a C form for that.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;
typedef __uint128_t u128;
typedef long s64;
#define NOINLINE __attribute__((noinline))

static NOINLINE u64 fill(u8 *p, u64 n, u64 seed)
{
	u64 s = seed * 2862933555777941757UL + 3037000493UL;

	for (u64 i = 0; i < n; i++) {
		s = s * 6364136223846793005UL + 1442695040888963407UL;
		p[i] = (u8)(s >> 33);
	}
	return s;
}

/* Kernel 0: CRC-32 of 16 KiB by a table that is made first. */
static NOINLINE u64 crc32(u8 *m)
{
	u32 *table = (u32 *)m;
	u8 *bytes = m + 4096;
	u32 crc = ~0u;

	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
		table[i] = c;
	}
	for (u32 i = 0; i < 16384; i++)
		crc = table[(crc ^ bytes[i]) & 255] ^ (crc >> 8);
	return ~crc;
}

/* Kernel 1: SHA-256 of 4 KiB, without the padding. */
static const u32 sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline u32 ror(u32 x, int n)
{
	return (x >> n) | (x << (32 - n));
}

static NOINLINE void sha256_block(u32 *h, const u8 *p)
{
	u32 w[64];
	u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], q = h[7];

	for (int i = 0; i < 16; i++)
		w[i] = __builtin_bswap32(((const u32 *)p)[i]);
	for (int i = 16; i < 64; i++) {
		u32 x = w[i - 15], y = w[i - 2];

		w[i] = w[i - 16] + (ror(x, 7) ^ ror(x, 18) ^ (x >> 3)) + w[i - 7] +
		       (ror(y, 17) ^ ror(y, 19) ^ (y >> 10));
	}
	for (int i = 0; i < 64; i++) {
		u32 t1 = q + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + sha256_k[i] +
			 w[i];
		u32 t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

		q = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
	}
	h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += q;
}

static NOINLINE u64 sha256(u8 *m)
{
	u32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };

	for (int i = 0; i < 4096; i += 64)
		sha256_block(h, m + i);
	return ((u64)h[0] << 32) | h[7];
}

/* Kernel 2: copies and fills of many lengths, 16 bytes at a time, then bytes. */
static NOINLINE void copy(u8 *d, const u8 *s, u64 n)
{
	for (; n >= 16; d += 16, s += 16, n -= 16) {
		u64 low = ((const u64 *)s)[0], high = ((const u64 *)s)[1];

		((u64 *)d)[0] = low;
		((u64 *)d)[1] = high;
	}
	for (; n; d++, s++, n--)
		*(volatile u8 *)d = *s;
}

static NOINLINE void set(u8 *d, u8 v, u64 n)
{
	u64 pattern = v * 0x0101010101010101UL;

	for (; n >= 16; d += 16, n -= 16) {
		((u64 *)d)[0] = pattern;
		((u64 *)d)[1] = pattern;
	}
	for (; n; d++, n--)
		*(volatile u8 *)d = v;
}

static NOINLINE u64 copies(u8 *m)
{
	u64 r = 0;

	for (u64 n = 1; n < 32768; n = n * 2 + 13) {
		set(m + 65536, (u8)n, n);
		copy(m + 131072, m, n);
		copy(m + 65536 + 8, m + 131072, n / 2);
		r += m[65536 + n / 3];
	}
	return r;
}

/* Kernel 3: quicksort of 4096 words, compared through a function pointer. */
typedef int (*compare_t)(u32, u32);

static NOINLINE int ascending(u32 a, u32 b)
{
	return a < b ? -1 : a > b;
}

static NOINLINE void quicksort(u32 *a, s64 low, s64 high, compare_t compare)
{
	while (low < high) {
		u32 pivot = a[(low + high) / 2];
		s64 i = low, j = high;

		while (i <= j) {
			while (compare(a[i], pivot) < 0)
				i++;
			while (compare(a[j], pivot) > 0)
				j--;
			if (i <= j) {
				u32 t = a[i];

				a[i++] = a[j];
				a[j--] = t;
			}
		}
		if (j - low < high - i) {
			quicksort(a, low, j, compare);
			low = i;
		} else {
			quicksort(a, i, high, compare);
			high = j;
		}
	}
}

static NOINLINE u64 sort(u8 *m)
{
	u32 *a = (u32 *)(m + 262144);
	compare_t volatile compare = ascending;
	u64 r = 0;

	copy((u8 *)a, m, 16384);
	quicksort(a, 0, 4095, compare);
	for (int i = 0; i < 4096; i += 97)
		r = r * 31 + a[i];
	return r;
}

/* Kernel 4: primes below 65536. */
static NOINLINE u64 sieve(u8 *m)
{
	u8 *prime = m + 65536;
	u64 n = 0;

	set(prime, 1, 65536);
	for (u64 i = 2; i < 65536; i++) {
		if (!prime[i])
			continue;
		n++;
		for (u64 j = i * i; j < 65536; j += i)
			prime[j] = 0;
	}
	return n;
}

/* Kernel 5: records, strings, a jump table, division, 128-bit products. */
struct record {
	struct record *next;
	u32 kind;
	u32 value;
	char name[32];
	u64 sum;
};

static NOINLINE int compare_strings(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *(const u8 *)a - *(const u8 *)b;
}

static NOINLINE u64 mix(struct record *r, u64 x)
{
	switch (r->kind % 9) {
	case 0:
		return x + r->value;
	case 1:
		return x ^ ((u64)r->value << 7);
	case 2:
		return x / (r->value | 1);
	case 3:
		return x % (r->value | 1);
	case 4:
		return (u64)(((u128)x * r->sum) >> 64);
	case 5:
		return x - r->sum;
	case 6:
		return __builtin_clzl(x | 1) + x;
	case 7:
		return __builtin_bswap64(x);
	default:
		return (u64)((s64)x >> 3);
	}
}

static NOINLINE u64 records(u8 *m)
{
	struct record *r = (struct record *)(m + 393216), *p = r;
	u64 x = 0x9e3779b97f4a7c15UL, equal = 0;

	for (int i = 0; i < 64; i++) {
		r[i].next = &r[(i * 37 + 11) & 63];
		r[i].kind = i * 7;
		r[i].value = i * 2654435761u;
		r[i].sum = x * (i + 3);
		for (int j = 0; j < 31; j++)
			r[i].name[j] = 'A' + ((i / 8 + j) & 15);
		r[i].name[31] = 0;
	}
	for (int i = 0; i < 512; i++) {
		x = mix(p, x);
		p->sum += x;
		if (!compare_strings(p->name, r[(i * 5) & 63].name))
			equal++;
		p->value = (u32)x;
		p = p->next;
	}
	return x + equal;
}

/* Kernel 6: page tables of four levels: map, walk, unmap. */
#define TABLE_ADDRESS 0x0000fffffffff000UL

struct pool {
	u64 next, end;
};

static NOINLINE u64 *walk(u64 *root, u64 ipa, struct pool *pool, int allocate, int target)
{
	u64 *table = root;

	for (int level = 0; level < target; level++) {
		u64 *entry = &table[(ipa >> (39 - 9 * level)) & 511];

		if (!(*entry & 1)) {
			u64 page = pool->next;

			if (!allocate || page + 4096 > pool->end)
				return 0;
			pool->next += 4096;
			set((u8 *)page, 0, 4096);
			*entry = page | 3;
		} else if (!(*entry & 2)) {
			return entry;
		}
		table = (u64 *)(*entry & TABLE_ADDRESS);
	}
	return &table[(ipa >> (39 - 9 * target)) & 511];
}

static NOINLINE u64 tables(u8 *m)
{
	struct pool pool = { (u64)m + 524288, (u64)m + 524288 + 262144 };
	u64 *root = (u64 *)pool.next;
	u64 r = 0;

	pool.next += 4096;
	set((u8 *)root, 0, 4096);
	for (u64 i = 0; i < 2048; i++) {
		u64 ipa = (i * 0x3001000UL) & 0x3ffff000UL;
		u64 *entry = walk(root, ipa, &pool, 1, 3);

		if (!entry) {
			r += 1;
			continue;
		}
		*entry = (ipa + 0x40000000UL) | 0x7c3 | ((i & 3) << 6);
		r ^= *entry;
	}
	for (u64 i = 0; i < 4096; i++) {
		u64 ipa = (i * 0x1801000UL) & 0x3ffff000UL;
		u64 *entry = walk(root, ipa, &pool, 0, 3);

		if (!entry || !(*entry & 1))
			continue;
		r += (*entry >> 12) ^ i;
		if (i & 1)
			*entry = 0x2a << 2;
	}
	return r;
}

/* Kernel 7: a loop of seven instructions with one load and one store. */
static NOINLINE u64 loop(u8 *m)
{
	u64 n = 20000, a = 1, b = 0, k = 0x12345;
	u64 *p = (u64 *)m;

#ifdef __aarch64__
	__asm__ volatile("1: add %0, %0, %3\n"
			 "   eor %1, %1, %0\n"
			 "   ldr x9, [%4, #64]\n"
			 "   add x9, x9, %1\n"
			 "   str x9, [%4, #64]\n"
			 "   subs %2, %2, #1\n"
			 "   b.ne 1b"
			 : "+r"(a), "+r"(b), "+r"(n)
			 : "r"(k), "r"(p)
			 : "x9", "memory", "cc");
#else
	for (; n; n--) {
		a += k;
		b ^= a;
		p[8] += b;
	}
#endif
	return a ^ b;
}

static u64 once(u64 kernel, u8 *m)
{
	switch (kernel) {
	case 0:
		return crc32(m);
	case 1:
		return sha256(m);
	case 2:
		return copies(m);
	case 3:
		return sort(m);
	case 4:
		return sieve(m);
	case 5:
		return records(m);
	case 6:
		return tables(m);
	default:
		return loop(m);
	}
}

u64 bench(u64 kernel, u64 iterations, u8 *m)
{
	u64 r = fill(m, 32768, kernel + 1);

	while (iterations--) {
		u64 v = once(kernel, m);

		r = (r << 1 | r >> 63) ^ v;
		*(u64 *)m += r;
	}
	return r;
}
