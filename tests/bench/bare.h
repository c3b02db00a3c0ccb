/* bare.h - what the benchmark's references share: time, CPU, files in memory, one line of JSON. */
#ifndef MAILDESK_BENCH_BARE_H
#define MAILDESK_BENCH_BARE_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct bare {
	double wall_s, cpu_s; /* at the start */
	size_t messages, bytes;
};

struct bare_file {
	char *bytes;
	size_t n;
};

static inline void bare_die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static inline double bare_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double bare_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static inline struct bare bare_start(void)
{
	return (struct bare){ .wall_s = bare_wall(), .cpu_s = bare_cpu() };
}

static inline void bare_print(const struct bare *b)
{
	printf("{\"messages\": %zu, \"bytes\": %zu, \"seconds\": %.6f, \"cpu_seconds\": %.6f}\n",
	       b->messages, b->bytes, bare_wall() - b->wall_s, bare_cpu() - b->cpu_s);
}

/* Maps every file named on standard input, one a line, and touches it; returns their number. */
static inline size_t bare_map_files(struct bare_file **ret)
{
	struct bare_file *files = NULL;
	char line[4096];
	size_t n = 0;

	while (fgets(line, sizeof line, stdin)) {
		struct stat st;
		int fd;

		line[strcspn(line, "\n")] = '\0';
		fd = open(line, O_RDONLY | O_CLOEXEC);
		files = realloc(files, (n + 1) * sizeof *files);
		if (!files || fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0)
			bare_die(line);
		files[n].n = (size_t)st.st_size;
		files[n].bytes =
			mmap(NULL, files[n].n, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (files[n].bytes == MAP_FAILED)
			bare_die(line);
		n++;
		close(fd);
	}
	*ret = files;
	return n;
}

#endif
