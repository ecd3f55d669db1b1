// SPDX-License-Identifier: BSD-2-Clause
/*
 * The system calls of `kexec -s -l` and `kexec -e`, without the tool's other work. As /init it loads /vmlinuz and
 * /initrd from memory by kexec_file_load(2), and starts the kernel.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/mark.h"

int main(void)
{
	static const char command_line[] = "console=ttyS0 nokaslr";
	int kernel;
	int initrd;

	MARK(MARK_LOAD);
	kernel = open("/vmlinuz", O_RDONLY);
	initrd = open("/initrd", O_RDONLY);
	if (kernel < 0 || initrd < 0 ||
	    syscall(SYS_kexec_file_load, kernel, initrd, sizeof(command_line), command_line, 0UL) != 0)
		perror("kexec_file_load");
	else if (reboot(RB_KEXEC) != 0)
		perror("reboot");
	/* The benchmark still waits for the kernel, and shows this message when it gives up. */
	for (;;)
		pause();
}
