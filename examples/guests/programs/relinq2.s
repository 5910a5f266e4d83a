// A page is given back and touched again.

	store	0x80030000
	call	0xc6000009, 0x80030000
	store	0x80030000
	call	0xc6000006
	call	0xc6000007, 0x09000000
