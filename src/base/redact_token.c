/* Tokens that say what they are, by the formats that their makers publish. */
#include <ctype.h>
#include <string.h>

#include "base/redact_pattern.h"

enum rule {
	PLAIN,  /* letters, digits, _ and - */
	DIGIT,  /* with a digit, since plain words begin alike */
	HEX32,  /* exactly 32 hexadecimal digits after the head */
	DOTTED, /* and dots */
	VALUE,  /* to the end of the value */
	AFTER,  /* the same, and the head stays */
};

struct head {
	const char *text;
	size_t shortest; /* in all */
	enum rule rule;
};

/* By the first byte, each list ended by a NULL text: most words begin like none of them. */
static const struct head *const heads[128] = {
	['$'] =
		(const struct head[]){
			{"$1$", 16, VALUE},
			{"$2a$", 30, VALUE},
			{"$2b$", 30, VALUE},
			{"$2y$", 30, VALUE},
			{"$5$", 20, VALUE},
			{"$6$", 20, VALUE},
			{"$7$", 20, VALUE},
			{"$apr1$", 20, VALUE},
			{"$argon2", 30, VALUE},
			{"$gy$", 20, VALUE},
			{"$y$", 20, VALUE},
			{0},
		},
	['A'] =
		(const struct head[]){
			{"AGE-SECRET-KEY-1", 50, PLAIN},
			{"AGE-PLUGIN-", 50, PLAIN},
			{"AIza", 35, PLAIN},
			{"AKIA", 20, PLAIN},
			{"ASIA", 20, PLAIN},
			{"ATATT3", 40, VALUE},
			{0},
		},
	['E'] =
		(const struct head[]){
			{"EAAA", 50, PLAIN},
			{0},
		},
	['G'] =
		(const struct head[]){
			{"GOCSPX-", 25, PLAIN},
			{0},
		},
	/* "-----BEGIN " of a private key, in base64 as Kubernetes and cloud-init keep it */
	['L'] =
		(const struct head[]){
			{"LS0tLS1CRUdJTiBSU0Eg", 40, VALUE},
			{"LS0tLS1CRUdJTiBQUklW", 40, VALUE},
			{"LS0tLS1CRUdJTiBFQyBQ", 40, VALUE},
			{"LS0tLS1CRUdJTiBPUEVO", 40, VALUE},
			{"LS0tLS1CRUdJTiBFTkNS", 40, VALUE},
			{0},
		},
	['P'] =
		(const struct head[]){
			{"PMAK-", 40, PLAIN},
			{"PVE:", 60, VALUE},
			{0},
		},
	['S'] =
		(const struct head[]){
			{"SG.", 40, DOTTED},
			{0},
		},
	['a'] =
		(const struct head[]){
			{"api/webhooks/", 40, AFTER},
			{0},
		},
	['d'] =
		(const struct head[]){
			{"dapi", 36, HEX32},
			{"dckr_oat_", 30, PLAIN},
			{"dckr_pat_", 30, PLAIN},
			{"doo_v1_", 40, PLAIN},
			{"dop_v1_", 40, PLAIN},
			{"dor_v1_", 40, PLAIN},
			{0},
		},
	['f'] =
		(const struct head[]){
			{"figd_", 30, PLAIN},
			{0},
		},
	['g'] =
		(const struct head[]){
			{"ghp_", 20, PLAIN},
			{"gho_", 20, PLAIN},
			{"ghu_", 20, PLAIN},
			{"ghs_", 20, PLAIN},
			{"ghr_", 20, PLAIN},
			{"github_pat_", 30, PLAIN},
			{"glagent-", 30, PLAIN},
			{"glcbt-", 20, PLAIN},
			{"gldt-", 20, PLAIN},
			{"glpat-", 20, DOTTED},
			{"glptt-", 20, PLAIN},
			{"glrt-", 20, DOTTED},
			{"glsa_", 30, PLAIN},
			{"gsk_", 40, PLAIN},
			{0},
		},
	['h'] =
		(const struct head[]){
			{"hf_", 30, PLAIN},
			{"hooks.slack.com/services/", 40, AFTER},
			{"hvb.", 24, PLAIN},
			{"hvs.", 24, PLAIN},
			{0},
		},
	['k'] =
		(const struct head[]){
			{"key-", 36, HEX32},
			{0},
		},
	['l'] =
		(const struct head[]){
			{"lin_api_", 30, PLAIN},
			{0},
		},
	['n'] =
		(const struct head[]){
			{"npm_", 30, PLAIN},
			{"nvapi-", 40, PLAIN},
			{0},
		},
	['p'] =
		(const struct head[]){
			{"pplx-", 40, PLAIN},
			{"pypi-", 40, PLAIN},
			{0},
		},
	['r'] =
		(const struct head[]){
			{"r8_", 35, DIGIT},
			{"rk_live_", 20, PLAIN},
			{"rk_test_", 20, PLAIN},
			{"rubygems_", 40, PLAIN},
			{0},
		},
	['s'] =
		(const struct head[]){
			{"sbp_", 40, PLAIN},
			{"shpat_", 30, PLAIN},
			{"shpca_", 30, PLAIN},
			{"shppa_", 30, PLAIN},
			{"shpss_", 30, PLAIN},
			{"sk-ant-", 12, PLAIN},
			{"sk-", 20, DIGIT},
			{"sk_live_", 20, PLAIN},
			{"sk_test_", 20, PLAIN},
			{"sntrys_", 40, VALUE},
			{"sq0atp-", 20, PLAIN},
			{"sq0csp-", 20, PLAIN},
			{"sshpass -p ", 12, AFTER},
			{0},
		},
	['t'] =
		(const struct head[]){
			{"tskey-", 24, PLAIN},
			{0},
		},
	['w'] =
		(const struct head[]){
			{"whsec_", 24, VALUE},
			{0},
		},
	['x'] =
		(const struct head[]){
			{"xapp-", 20, PLAIN},
			{"xoxa-", 20, PLAIN},
			{"xoxb-", 20, PLAIN},
			{"xoxe.", 20, DOTTED},
			{"xoxp-", 20, PLAIN},
			{"xoxr-", 20, PLAIN},
			{"xoxs-", 20, PLAIN},
			{0},
		},
	['y'] =
		(const struct head[]){
			{"ya29.", 20, DOTTED},
			{0},
		},
};

static bool has_digit(const char *text, size_t length)
{
	for (size_t i = 0; i < length && i < 256; i++)
		if (isdigit((unsigned char)text[i]))
			return true;
	return false;
}

static bool is_hex32(const struct scan *scan, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++)
		if (!isxdigit((unsigned char)scan->text[i]))
			return false;
	return end - from == 32;
}

static bool follow(struct scan *scan, size_t at, const struct head *head, struct span *secret)
{
	static const int runs[] = {[PLAIN] = RUN_WORD,
		[DIGIT] = RUN_WORD,
		[HEX32] = RUN_WORD,
		[DOTTED] = RUN_DOTTED,
		[VALUE] = RUN_VALUE,
		[AFTER] = RUN_VALUE};
	size_t body = at + strlen(head->text);
	size_t end = run_end(scan, runs[head->rule], body);
	if (end - at < head->shortest)
		return false;
	if (head->rule == DIGIT && !has_digit(scan->text + at, end - at))
		return false;
	if (head->rule == HEX32 && !is_hex32(scan, body, end))
		return false;
	if (head->rule == VALUE && head->text[0] == '$') {
		/* bounded, as hashes are: "$6$$6$…" begins one every third byte */
		size_t reach = end - at < 512 ? end - at : 512;
		const char *colon = memchr(scan->text + at, ':', reach);
		end = colon != NULL ? (size_t)(colon - scan->text) : end;
	}
	return found(secret, head->rule == AFTER ? body : at, end);
}

/* header.payload.signature, each base64url; "eyJ" is {" in base64. Of an encrypted one, five. */
static bool web_token(struct scan *scan, size_t at, struct span *secret)
{
	if (!has(scan, at, "eyJ"))
		return false;
	size_t end = run_end(scan, RUN_WORD, at);
	if (end - at < 10 || end + 3 > scan->length || scan->text[end] != '.' ||
		!is_word(scan->text[end + 1]))
		return false;
	return found(secret, at, run_end(scan, RUN_DOTTED, at));
}

/* Discord's: the bot's number in base64, a time, a signature. */
static bool discord_token(struct scan *scan, size_t at, struct span *secret)
{
	size_t one = run_end(scan, RUN_WORD, at);
	if (one - at < 23 || one - at > 28 || one + 8 > scan->length || scan->text[one] != '.' ||
		scan->text[one + 7] != '.')
		return false;
	for (size_t i = one + 1; i < one + 7; i++)
		if (!is_word(scan->text[i]))
			return false;
	size_t end = run_end(scan, RUN_WORD, one + 8);
	return end - one - 8 >= 27 && found(secret, at, end);
}

bool token_at(struct scan *scan, size_t at, struct span *secret)
{
	char first = scan->text[at];
	if (first == 'e')
		return web_token(scan, at, secret);
	if (first == 'M' || first == 'N' || first == 'O')
		return discord_token(scan, at, secret);
	const struct head *head = (unsigned char)first < 128 ? heads[(unsigned char)first] : NULL;
	for (; head != NULL && head->text != NULL; head++)
		if (has(scan, at, head->text))
			return follow(scan, at, head, secret);
	return false;
}
