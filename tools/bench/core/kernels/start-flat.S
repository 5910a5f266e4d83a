/* The flat image: x0 kernel, x1 iterations, x2 scratch; the embedder sets sp, and x30 to where it stops. */
	.section .text.start, "ax"
	.global _start
_start:
	b	bench
