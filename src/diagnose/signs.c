/*
 * The table of signs: lines by which a cause is known. Pure. The first row that a line fits counts,
 * so what is more specific stands above.
 */
#include <ctype.h>
#include <stddef.h>
#include <string.h>

#include "base/digest.h"
#include "base/str.h"
#include "diagnose/diagnose.h"

#define PATTERNS_MAX 8
#define LIKELY 0.6

/* Whether the usual remedy (to start it again) can help: NO means that it fails again until a
 * person has mended something else. */
enum help { HELPS, HELPS_LATER, HELPS_NOT };

/* Patterns: lower case, with * and ?, anywhere in a line. */
struct sign {
	const char *cause;
	double confidence;
	enum help help;
	const char *alternatives; /* what else it could be, or what to do */
	const char *patterns[PATTERNS_MAX];
};

static const struct sign signs[] = {
	{"a backup of it is running", 0.9, HELPS_LATER, "wait for the backup's end",
		{"task vzdump * runs:*"}},
	{"no space is left on a device that it writes to", 0.95, HELPS_NOT,
		"free space there (old images, logs, backups), then start it again",
		{"no space left on device", "enospc", "disk quota exceeded", "database or disk is full",
			"disk is full", "not enough free disk space", "out of disk space"}},
	{"a file system that it writes to is read-only", 0.9, HELPS_NOT,
		"look for errors of the disk below it (dmesg), then mount it again",
		{"read-only file system", "erofs"}},
	{"the disk below it gives errors", 0.85, HELPS_NOT, "check the disk: SMART, cables, pool",
		{"input/output error", "buffer i/o error", "medium error", "unrecovered read error"}},
	{"the port that it wants is taken by another", 0.9, HELPS_LATER,
		"find who has it (ss -ltnp), or give one of them another port",
		{"address already in use", "port is already allocated", "eaddrinuse",
			"failed to bind host port", "bind: address in use", "only one usage of each socket"}},
	{"its image is missing or cannot be fetched", 0.9, HELPS_NOT,
		"pull the image, or mend its name or the login to its registry",
		{"no such image", "manifest unknown", "pull access denied", "repository does not exist",
			"image not known", "manifest for * not found", "toomanyrequests"}},
	{"what it mounts is missing", 0.9, HELPS_NOT,
		"mount the share or make the folder that its volume names, then start it again",
		{"bind source path does not exist", "error mounting", "error while mounting volume",
			"stale file handle", "transport endpoint is not connected", "special device * does not",
			"mount point does not exist", "failed to mount"}},
	{"a storage that it needs is not there", 0.85, HELPS_NOT,
		"bring the storage back, then start it",
		{"storage * is not available", "unable to activate storage", "storage * does not exist",
			"no zvol device link", "volume * does not exist", "storage * is not online"}},
	{"the network namespace that it shares is gone", 0.9, HELPS,
		"the container whose network it uses was made anew: recreate this one",
		{"cannot join network of a non running container", "no such network namespace",
			"/ns/net: no such file", "cannot join network namespace", "lookup netns"}},
	{"a network or bridge that it needs is missing", 0.85, HELPS_NOT,
		"make the network again, then start it",
		{"network * not found", "bridge * does not exist", "no such bridge",
			"failed to create endpoint", "could not find an available, non-overlapping"}},
	{"it was built for another processor", 0.95, HELPS_NOT, "use an image for this architecture",
		{"exec format error", "illegal instruction"}},
	{"its command does not exist", 0.9, HELPS_NOT, "mend the command or the image",
		{"executable file not found", "exec: * no such file or directory",
			"starting container process caused: exec", "command not found"}},
	{"a certificate has expired or is not valid", 0.9, HELPS_NOT,
		"renew the certificate, or set the clock right",
		{"certificate has expired", "certificate is not yet valid", "cert_has_expired",
			"x509: certificate", "certificate verify failed", "ssl certificate problem",
			"certificate expired"}},
	{"its database is damaged", 0.85, HELPS_NOT, "restore it from a backup; do not start it often",
		{"database disk image is malformed", "could not locate a valid checkpoint",
			"invalid page in block", "database is corrupt", "table is marked as crashed",
			"corrupted data", "checksum mismatch"}},
	{"its data is of another version than the program", 0.85, HELPS_NOT,
		"go back to the image that it ran before, or migrate the data",
		{"database files are incompatible", "incompatible version", "unsupported version",
			"is newer than this version", "downgrade is not supported", "schema version"}},
	{"another program does not accept its credentials", 0.85, HELPS_NOT,
		"set the password or key that the other side expects",
		{"password authentication failed", "access denied for user", "authentication failed",
			"invalid api key", "401 unauthorized", "invalid credentials", "noauth authentication"}},
	{"it may not do what it has to", 0.85, HELPS_NOT,
		"mend the owner or mode of its files, or its rights",
		{"permission denied", "eacces", "operation not permitted", "not enough permissions"}},
	{"its memory ran out", 0.85, HELPS, "give it more memory, or look for a leak",
		{"out of memory", "cannot allocate memory", "outofmemoryerror", "heap out of memory",
			"memoryerror", "oom-kill", "enomem", "killed process"}},
	{"too many files are open", 0.85, HELPS, "raise its limit (nofile), or look for a leak",
		{"too many open files", "emfile"}},
	{"a device that it needs is missing", 0.85, HELPS_NOT, "look whether the device is there",
		{"could not select device driver", "nvidia-container-cli", "no such device",
			"error gathering device information"}},
	{"it finds the lock of another instance", 0.75, HELPS_LATER,
		"if no other runs, remove the stale lock file",
		{"another instance is running", "database is locked", "lock file * already exists",
			"could not lock", "is already running", "unable to obtain lock", "pid file * exists"}},
	{"names cannot be resolved", 0.8, HELPS_LATER, "look at the DNS server",
		{"could not resolve host", "temporary failure in name resolution",
			"name or service not known", "enotfound", "no such host", "eai_again"}},
	{"what it depends on does not answer", 0.8, HELPS_LATER,
		"heal what it connects to; label it homeostat.depends_on",
		{"connection refused", "econnrefused", "no route to host", "host is unreachable",
			"could not connect to server", "connection reset by peer", "broken pipe",
			"upstream * unavailable"}},
	{"what it depends on answers too late", 0.7, HELPS_LATER, "look at its load and the network",
		{"context deadline exceeded", "connection timed out", "i/o timeout", "etimedout",
			"got timeout", "request timed out"}},
	{"its configuration is wrong", 0.8, HELPS_NOT, "mend the configuration that the line names",
		{"invalid configuration", "configuration error", "config file * not found",
			"unknown directive", "yaml: ", "missing required environment", "[emerg]",
			"error parsing config"}},
	{"a setting that it needs is not given", 0.75, HELPS_NOT,
		"set the variable that the line names",
		{"environment variable * not set", "must be set", "is not set", "is required but"}},
	{"its clock is wrong", 0.75, HELPS_NOT, "set the clock; look at NTP",
		{"clock skew", "time is not synchronized", "clock is out of sync"}},
	{"the application crashed (segmentation fault)", 0.85, HELPS, "a fault of the program",
		{"segmentation fault", "sigsegv", "core dumped"}},
	{"the program failed with an unexpected error", 0.65, HELPS, "a fault of the program",
		{"panic: ", "unhandled exception", "traceback (most recent call last)", "fatal error",
			"uncaught exception", "unhandledpromiserejection", "assertion failed"}},
	{"its host was booted a short while ago", 0.75, HELPS, "it may not be started at boot",
		{"was booted * minutes ago"}},
};

static bool line_fits(const char *line, const char *pattern)
{
	char low[EVIDENCE_TEXT_BYTES], whole[96];
	for (size_t i = 0; i < sizeof(low); i++) {
		low[i] = (char)tolower((unsigned char)line[i]);
		if (low[i] == '\0')
			break;
	}
	low[sizeof(low) - 1] = '\0';
	STR_FORMAT(whole, "*%s*", pattern);
	return str_match(whole, low);
}

/* Of an earlier incident or a neighbour, a line proves nothing of this one. */
static bool can_prove(const struct evidence *row)
{
	return row->kind != EVIDENCE_PAST && row->kind != EVIDENCE_NEIGHBOUR &&
		row->kind != EVIDENCE_GAP;
}

/* The newest line that fits. */
static struct evidence *find_line(struct evidence_list *list, const struct sign *sign)
{
	for (int i = list->count - 1; i >= 0; i--)
		for (int p = 0; p < PATTERNS_MAX && sign->patterns[p] != NULL; p++)
			if (can_prove(&list->rows[i]) && line_fits(list->rows[i].text, sign->patterns[p]))
				return &list->rows[i];
	return NULL;
}

static void quote(struct diagnosis *diagnosis, struct evidence *row)
{
	size_t used = strlen(diagnosis->evidence);
	row->proves = true;
	if (strstr(diagnosis->evidence, row->text) == NULL)
		str_format(diagnosis->evidence + used, sizeof(diagnosis->evidence) - used, "%s%s: %s",
			used > 0 ? " | " : "", row->source, row->text);
}

bool diagnose_by_evidence(struct evidence_list *list, struct diagnosis *diagnosis)
{
	bool known = false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		const struct sign *sign = &signs[i];
		struct evidence *row = find_line(list, sign);
		if (row == NULL)
			continue;
		if (known) { /* a second one is what else it could be */
			size_t used = strlen(diagnosis->alternatives);
			str_format(diagnosis->alternatives + used, sizeof(diagnosis->alternatives) - used,
				"; or: %s", sign->cause);
			return true;
		}
		known = true;
		/* What the kernel or the engine has said of itself is not outdone by a line of a log. */
		if (sign->confidence <= diagnosis->confidence)
			continue;
		STR_SET(diagnosis->cause, sign->cause);
		STR_SET(diagnosis->alternatives, sign->alternatives);
		diagnosis->confidence = sign->confidence;
		diagnosis->unproven = diagnosis->unproven || sign->help == HELPS_NOT;
		quote(diagnosis, row);
	}
	return known;
}

bool diagnosis_is_answer(const struct diagnosis *diagnosis, enum finding_kind finding)
{
	return diagnosis->confidence >= LIKELY ||
		(diagnosis->action[0] != '\0' && finding_is_seen(finding));
}

/* Numbers, ids and times differ from one failure to the next. */
static void normalise(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0';) {
		size_t n = strspn(from, "0123456789abcdefABCDEFxX");
		bool is_number = n > 0 && (isdigit((unsigned char)*from) || n >= 8);
		if (is_number) {
			*to++ = '#';
			from += n;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

void diagnosis_signature(const struct incident *incident, const struct evidence_list *list,
	char signature[SIGNATURE_BYTES])
{
	char lines[4][EVIDENCE_TEXT_BYTES] = {""};
	int n = 0;
	for (int i = list->count - 1; i >= 0 && n < 4; i--) {
		if (list->rows[i].kind != EVIDENCE_LOG && !list->rows[i].proves)
			continue;
		STR_SET(lines[n], list->rows[i].text);
		normalise(lines[n++]);
	}
	const char *parts[] = {finding_kind_name(incident->finding),
		component_kind_name(incident->component.kind), incident->component.name,
		incident->diagnosis.cause, lines[0], lines[1], lines[2], lines[3]};
	digest_hex(parts, sizeof(parts) / sizeof(parts[0]), signature, SIGNATURE_BYTES);
}
