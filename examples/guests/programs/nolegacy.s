// Devices before the guard is on, where no memory is, and after it.

	store	0x09001000
	load	0x09002000
	store	0x100000000
	call	0xc6000003, 0x100000000
	call	0xc6000003, 0x09000000
	call	0xc6000006
	store	0x09001000
	call	0xc6000007, 0x09000000
	call	0xc6000007, 0x09001000
	store	0x09001000
	call	0xc6000008, 0x09001000
	store	0x09001000
