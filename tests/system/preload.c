/* Ends the process, as a power cut or SIGKILL would, at the n-th write to a file: preloaded into the server by
 * tests/system/kill.rs. Counting begins when the file KILL_ARM exists. KILL_AT is n; KILL_HOW is "before" (nothing
 * of the write happens), "half" (the first half of it does) or "after" (all of it does, and nobody is told). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static int counted;

static void die(void) { _exit(137); }

/* Whether the call that is about to happen is the one. */
static int is_it(int fd) {
    struct stat s;
    const char *arm = getenv("KILL_ARM"), *at = getenv("KILL_AT");
    if (!arm || !at || (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)))) return 0;
    if (access(arm, F_OK) != 0) return 0;
    return __atomic_add_fetch(&counted, 1, __ATOMIC_SEQ_CST) == atoi(at);
}

static int how(const char *word) {
    const char *wish = getenv("KILL_HOW");
    return wish && strcmp(wish, word) == 0;
}

#define REAL(type, name) \
    static type real; \
    if (!real) real = (type)dlsym(RTLD_NEXT, name)

typedef ssize_t (*write_t)(int, const void *, size_t);
ssize_t write(int fd, const void *bytes, size_t count) {
    REAL(write_t, "write");
    if (!is_it(fd)) return real(fd, bytes, count);
    if (!how("before")) real(fd, bytes, how("half") ? count / 2 : count);
    die();
    return -1;
}

typedef ssize_t (*pwrite_t)(int, const void *, size_t, off_t);
static ssize_t at_offset(const char *name, int fd, const void *bytes, size_t count, off_t offset) {
    pwrite_t real = (pwrite_t)dlsym(RTLD_NEXT, name);
    if (!is_it(fd)) return real(fd, bytes, count, offset);
    if (!how("before")) real(fd, bytes, how("half") ? count / 2 : count, offset);
    die();
    return -1;
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) { return at_offset("pwrite", fd, b, n, o); }
ssize_t pwrite64(int fd, const void *b, size_t n, off_t o) { return at_offset("pwrite64", fd, b, n, o); }

typedef int (*sync_t)(int);
static int synced(const char *name, int fd) {
    sync_t real = (sync_t)dlsym(RTLD_NEXT, name);
    if (!is_it(fd)) return real(fd);
    if (how("after")) real(fd);
    die();
    return -1;
}
int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }

typedef int (*rename_t)(const char *, const char *);
int rename(const char *from, const char *to) {
    REAL(rename_t, "rename");
    if (!is_it(-1)) return real(from, to);
    if (how("after")) real(from, to);
    die();
    return -1;
}
