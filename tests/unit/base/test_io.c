#include <maildesk/base/io.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 1 << 20 }; /* more than a pipe holds */

struct taking {
	int fd;
	uint8_t *bytes;
	size_t n;
};

static void *take(void *ctx)
{
	struct taking *t = ctx;
	ssize_t n;

	while (t->n < MANY && (n = read(t->fd, t->bytes + t->n, MANY - t->n)) > 0)
		t->n += (size_t)n;
	return NULL;
}

static void all_of_it_goes_through_what_takes_a_part(void **state)
{
	uint8_t *sent = malloc(MANY);
	struct taking t = { .bytes = malloc(MANY) };
	pthread_t thread;
	int ends[2];

	(void)state;
	assert_non_null(sent);
	assert_non_null(t.bytes);
	for (size_t i = 0; i < MANY; i++)
		sent[i] = (uint8_t)(i * 31 >> 3);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	t.fd = ends[0];
	assert_int_equal(pthread_create(&thread, NULL, take, &t), 0);
	assert_true(io_write_all(ends[1], sent, MANY));
	close(ends[1]);
	pthread_join(thread, NULL);
	assert_int_equal(t.n, MANY);
	assert_memory_equal(sent, t.bytes, MANY);
	close(ends[0]);
	free(sent);
	free(t.bytes);
}

static void a_file_is_read_to_its_end_or_until_it_is_enough(void **state)
{
	static const char bytes[100000];
	char path[] = "/tmp/maildesk-io-XXXXXX";
	int fd = mkstemp(path);
	struct buf all = BUF_INIT(sizeof bytes), some = BUF_INIT(sizeof bytes),
		   small = BUF_INIT(sizeof bytes - 1);

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_true(io_write_all(fd, bytes, sizeof bytes));
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(io_read_all(fd, SIZE_MAX, &all), 0);
	assert_int_equal(all.len, sizeof bytes);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(io_read_all(fd, 50000, &some), 0);
	assert_in_range(some.len, 50001, sizeof bytes - 1);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(io_read_all(fd, SIZE_MAX, &small), EFBIG);
	close(fd);
	assert_int_equal(io_read_all(fd, SIZE_MAX, &all), EBADF);
	buf_done(&all);
	buf_done(&some);
	buf_done(&small);
}

static void who_takes_nothing_more_is_told(void **state)
{
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_true(io_write_all(ends[1], "", 0));
	assert_false(io_write_all(ends[1], "x", 1));
	assert_int_equal(errno, EPIPE);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_goes_through_what_takes_a_part),
		cmocka_unit_test(a_file_is_read_to_its_end_or_until_it_is_enough),
		cmocka_unit_test(who_takes_nothing_more_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
