// A second CPU: one that waits to be entered, the caller itself, one that does not exist.

	call	0xc4000003, 1, 0x80000000, 0x1234
	call	0xc4000004, 1, 0
	call	0xc4000003, 1, 0x80000000, 0x1234
	call	0xc4000003, 0, 0x80000000, 0
	call	0xc4000003, 7, 0x80000000, 0
	call	0xc6000006
	call	0xc6000007, 0x09000000
