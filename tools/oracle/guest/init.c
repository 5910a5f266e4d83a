// /init of the machine that is measured: loads the module, then answers requests from the console.
// Freestanding: no C library. The lines are those of ../protocol.ts.

#include "request.h"

enum {
	SYS_IOCTL = 29,
	SYS_MOUNT = 40,
	SYS_OPENAT = 56,
	SYS_READ = 63,
	SYS_WRITE = 64,
	SYS_SYSLOG = 116,
	SYS_REBOOT = 142,
	SYS_FINIT_MODULE = 273,
};

static long call(long number, long a, long b, long c, long d, long e)
{
	register long x8 asm("x8") = number;
	register long x0 asm("x0") = a;
	register long x1 asm("x1") = b;
	register long x2 asm("x2") = c;
	register long x3 asm("x3") = d;
	register long x4 asm("x4") = e;

	asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}

static long open_file(const char *path, long flags)
{
	return call(SYS_OPENAT, -100, (long)path, flags, 0, 0);
}

/* The console, byte by byte in and line by line out. */

struct terminal {
	unsigned int iflag, oflag, cflag, lflag;
	unsigned char line, cc[19];
};

enum { TCGETS = 0x5401, TCSETS = 0x5402, TCSBRK = 0x5409 };
enum { VTIME = 5, VMIN = 6 };

// No echo, no line editing, no translation of any byte.
static void make_raw(void)
{
	struct terminal t;

	call(SYS_IOCTL, 0, TCGETS, (long)&t, 0, 0);
	t.iflag = t.oflag = t.lflag = 0;
	t.cc[VMIN] = 1;
	t.cc[VTIME] = 0;
	call(SYS_IOCTL, 0, TCSETS, (long)&t, 0, 0);
}

static char input[4096];
static long input_at, input_end;

static char next_byte(void)
{
	while (input_at == input_end) {
		input_at = 0;
		input_end = call(SYS_READ, 0, (long)input, sizeof(input), 0, 0);
		if (input_end < 0)
			input_end = 0;
	}
	return input[input_at++];
}

static unsigned long long line_words[64];

struct line {
	char text[1024];
	int length;
};

static unsigned int hash(const char *text, int length)
{
	unsigned int h = 0x811c9dc5u;

	for (int i = 0; i < length; i++)
		h = (h ^ (unsigned char)text[i]) * 0x01000193u;
	return h;
}

static void put(struct line *line, char c)
{
	if (line->length < (int)sizeof(line->text))
		line->text[line->length++] = c;
}

static void put_hex(struct line *line, unsigned long long value)
{
	int digits = 1;

	while (digits < 16 && value >> (4 * digits))
		digits++;
	while (digits--)
		put(line, "0123456789abcdef"[value >> (4 * digits) & 15]);
}

static void put_word(struct line *line, unsigned long long value)
{
	put(line, ' ');
	put_hex(line, value);
}

// Ends the line with its hash, and waits until the last byte is out: what follows may not return.
static void send(struct line *line)
{
	unsigned int h = hash(line->text, line->length);
	int sent = 0;

	put(line, '#');
	put_hex(line, h);
	put(line, '\n');
	while (sent < line->length) {
		long n = call(SYS_WRITE, 1, (long)(line->text + sent), line->length - sent, 0, 0);

		if (n > 0)
			sent += n;
	}
	call(SYS_IOCTL, 1, TCSBRK, 1, 0, 0);
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Reads a line `>OP WORD WORD…#HASH`; the number of words, or -1 for one that came in damaged.
static int receive(char *op)
{
	struct line line;
	unsigned long long sum = 0;
	int words = 0, c;

	line.length = 0;
	while (next_byte() != '>')
		;
	while ((c = next_byte()) != '#' && c != '\n')
		put(&line, c);
	while (c != '\n') {
		c = next_byte();
		if (c != '\n')
			sum = sum << 4 | (unsigned int)digit_of(c);
	}
	if (sum != hash(line.text, line.length) || line.length == 0)
		return -1;
	*op = line.text[0];
	for (int i = 1; i < line.length; i++) {
		if (line.text[i] == ' ') {
			if (words == 64)
				return -1;
			line_words[words++] = 0;
		} else if (words > 0) {
			line_words[words - 1] = line_words[words - 1] << 4 | digit_of(line.text[i]);
		}
	}
	return words;
}

/* What is asked for. Words: serial number, CPU, immediate or number of pages, then registers. */

static unsigned long long marker(int n)
{
	return 0xa0a00000ull + n;
}

static void answer(int device, char op, int words)
{
	static const char OPS[] = "HSRWA";
	struct line line;
	struct request r = { .what = ~0u };
	unsigned long long before[REGISTERS];
	unsigned int changed = 0;
	long error;

	line.length = 0;
	for (unsigned int i = 0; OPS[i]; i++)
		if (OPS[i] == op)
			r.what = i;
	r.cpu = line_words[1];
	r.number = line_words[2];
	for (int i = 0; i < REGISTERS; i++)
		before[i] = r.x[i] = 3 + i < words ? line_words[3 + i] : marker(i);
	error = call(SYS_IOCTL, device, REQUEST_IOCTL, (long)&r, 0, 0);
	for (int i = 0; i < REGISTERS; i++)
		changed |= (r.x[i] != before[i]) << i;
	put(&line, '<');
	put_hex(&line, line_words[0]);
	put_word(&line, (unsigned int)-(error ? error : r.result));
	put_word(&line, changed);
	for (int i = 0; i < 4; i++)
		put_word(&line, r.x[i]);
	send(&line);
}

static void say(const char *text)
{
	struct line line;

	line.length = 0;
	while (*text)
		put(&line, *text++);
	send(&line);
}

static void run(void)
{
	long module = open_file("/el1.ko", 0);
	long device;
	char op;

	make_raw();
	call(SYS_MOUNT, (long)"proc", (long)"/proc", (long)"proc", 0, 0);
	call(SYS_SYSLOG, 8, 0, 5, 0, 0);
	if (module < 0 || call(SYS_FINIT_MODULE, module, (long)"", 0, 0, 0)) {
		say("<module refused");
		return;
	}
	device = open_file("/proc/" REQUEST_PATH, 2);
	if (device < 0) {
		say("<no device");
		return;
	}
	say("<ready");
	for (;;) {
		int words = receive(&op);

		if (words < 3)
			say("<damaged");
		else
			answer(device, op, words);
	}
}

void _start(void)
{
	run();
	// RB_AUTOBOOT; QEMU ends where the machine resets.
	call(SYS_REBOOT, 0xfee1dead, 0x28121969, 0x01234567, 0, 0);
	for (;;)
		;
}
