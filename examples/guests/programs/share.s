// A page is shared and stays so.

	call	0xc6000003, 0x80020000
	call	0xc6000006
	call	0xc6000007, 0x09000000
