// An address of memory, not touched yet, is declared a device and then used as memory.

	call	0xc6000006
	call	0xc6000007, 0x09000000
	call	0xc6000007, 0x80040000
	store	0x80040000
