/* Prints the checksum of one kernel as this machine computes it, without an engine. */
#include <stdio.h>
#include <stdlib.h>

unsigned long bench(unsigned long kernel, unsigned long iterations, unsigned char *scratch);

int main(int count, char **args)
{
	unsigned char *scratch = aligned_alloc(4096, 1 << 20);

	if (count != 3 || !scratch)
		return 2;
	printf("%016lx\n", bench(strtoul(args[1], 0, 0), strtoul(args[2], 0, 0), scratch));
	return 0;
}
