// A page is given back by an address inside it.

	store	0x80030000
	call	0xc6000009, 0x80030001
	call	0xc6000006
	call	0xc6000007, 0x09000000
