/* A disk that forgets at a power cut what was not synced; preloaded into the relay by tests/crash/power.py.
 *
 * Law: what fsync and fdatasync were asked for is copied to SHIM_SHADOW at that moment, a file's bytes as `f-KEY` and a
 * directory's names as `d-KEY`; nothing else is. What is on the disk when the process starts counts as synced. A call
 * for a path that holds the text in the file SHIM_LIE does nothing and says that all is well; one for a path that holds
 * the text in SHIM_FAIL fails with EIO.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *root, *shadow;

/* An inode's number may be used again, together with its birth it is not. */
static int key_at(int folder, const char *name, char *key, int *is_folder) {
    struct statx found;
    int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
    if (statx(folder, name, flags, STATX_INO | STATX_TYPE | STATX_BTIME, &found)) return -1;
    snprintf(key, 80, "%llu-%lld-%u", (unsigned long long)found.stx_ino, (long long)found.stx_btime.tv_sec,
             found.stx_btime.tv_nsec);
    *is_folder = S_ISDIR(found.stx_mode);
    return 0;
}

static void keep_file(int descriptor, const char *key) {
    static __thread char block[1 << 16];
    char beside[PATH_MAX], path[PATH_MAX], again[64];
    snprintf(again, sizeof again, "/proc/self/fd/%d", descriptor);
    snprintf(path, sizeof path, "%s/f-%s", shadow, key);
    snprintf(beside, sizeof beside, "%s/new-%s-%d", shadow, key, (int)gettid());
    int from = open(again, O_RDONLY | O_CLOEXEC), to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t many;
    if (from < 0 || to < 0) abort();
    while ((many = read(from, block, sizeof block)) > 0)
        if (write(to, block, many) != many) abort();
    close(from);
    close(to);
    if (rename(beside, path)) abort();
}

static void keep_folder(int descriptor, const char *key) {
    char beside[PATH_MAX], path[PATH_MAX], own[80];
    int is_folder;
    snprintf(path, sizeof path, "%s/d-%s", shadow, key);
    snprintf(beside, sizeof beside, "%s/new-%s-%d", shadow, key, (int)gettid());
    FILE *list = fopen(beside, "we");
    DIR *folder = fdopendir(openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!list || !folder) abort();
    for (struct dirent *each; (each = readdir(folder));)
        if (strcmp(each->d_name, ".") && strcmp(each->d_name, "..") &&
            !key_at(dirfd(folder), each->d_name, own, &is_folder))
            fprintf(list, "%c %s %s\n", is_folder ? 'd' : 'f', own, each->d_name);
    closedir(folder);
    if (fclose(list) || rename(beside, path)) abort();
}

static void keep(int descriptor) {
    char key[80];
    int is_folder;
    if (key_at(descriptor, "", key, &is_folder)) return;
    (is_folder ? keep_folder : keep_file)(descriptor, key);
}

static void keep_all(const char *path) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat found;
    if (descriptor < 0) return;
    keep(descriptor);
    if (!fstat(descriptor, &found) && S_ISDIR(found.st_mode)) {
        DIR *folder = opendir(path);
        char below[PATH_MAX];
        for (struct dirent *each; folder && (each = readdir(folder));) {
            if (!strcmp(each->d_name, ".") || !strcmp(each->d_name, "..")) continue;
            snprintf(below, sizeof below, "%s/%s", path, each->d_name);
            keep_all(below);
        }
        if (folder) closedir(folder);
    }
    close(descriptor);
}

__attribute__((constructor)) static void begin(void) {
    root = getenv("SHIM_ROOT");
    shadow = getenv("SHIM_SHADOW");
    if (root && shadow && !mkdir(shadow, 0700)) keep_all(root);
}

static int is_named(const char *where, const char *path) {
    char text[64] = "";
    int list = open(getenv(where), O_RDONLY | O_CLOEXEC);
    if (list < 0) return 0;
    ssize_t many = read(list, text, sizeof text - 1);
    close(list);
    return many >= 0 && strstr(path, text) != NULL;
}

static int synced(int descriptor, const char *call) {
    char link[64], path[PATH_MAX] = "";
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t many = readlink(link, path, sizeof path - 1);
    if (!root || !shadow || many < 0 || strncmp(path, root, strlen(root)))
        return ((int (*)(int))dlsym(RTLD_NEXT, call))(descriptor);
    if (is_named("SHIM_FAIL", path)) {
        errno = EIO;
        return -1;
    }
    if (!is_named("SHIM_LIE", path)) keep(descriptor);
    errno = before;
    return 0;
}

int fsync(int descriptor) { return synced(descriptor, "fsync"); }

int fdatasync(int descriptor) { return synced(descriptor, "fdatasync"); }
