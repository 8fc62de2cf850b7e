#include "base/trim.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Only what can't have been written to: the rest of a mapping would lose its changes. */
static int drop_segments(struct dl_phdr_info *library, size_t size, void *ctx)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	(void)size;
	(void)ctx;
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &library->dlpi_phdr[i];
		if (segment->p_type != PT_LOAD || (segment->p_flags & PF_W) != 0)
			continue;
		uintptr_t begin = library->dlpi_addr + segment->p_vaddr;
		uintptr_t end = begin + segment->p_memsz;
		begin -= begin % page;
		/* A failure costs memory and nothing else. */
		madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void trim_memory(void)
{
	malloc_trim(0);
	dl_iterate_phdr(drop_segments, NULL);
}
