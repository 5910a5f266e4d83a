/* Notes in a module: every .ko carries two of the owner "Linux" in .note.Linux. */
#ifndef __LINUX_ELFNOTE_H
#define __LINUX_ELFNOTE_H

#include <linux/types.h>

#define LINUX_ELFNOTE_BUILD_SALT 0x100
#define LINUX_ELFNOTE_LTO_INFO 0x101

struct elf_note_linux {
	u32 n_namesz;
	u32 n_descsz;
	u32 n_type;
	char name[8];
	u32 desc;
};

/* One note whose description is a 32-bit value; "Linux" with its NUL is 6 bytes, padded to 8. */
#define ELFNOTE32_LINUX(id, type, value)						\
	static const struct elf_note_linux id __used __aligned(4)			\
		__section(".note.Linux") = { 6, sizeof(u32), type, "Linux", value }

#endif
