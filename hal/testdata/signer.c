/*
 * The module's end of SIGNER.md in one file: UnionPay's MAC with SM4, sign-on
 * included. It shows the protocol and nothing else. In a product everything
 * under "The secure part" is a call into the module that holds the keys; here
 * the master key stands in the source, as it never may.
 *
 *   cc -std=c99 -Wall -Wextra -o signer signer.c && ./signer /run/signer/socket
 */
#define _POSIX_C_SOURCE 200809L
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define LINE_MAX_BYTES 20480
#define DATA_MAX_BYTES 8192

/* ---- The secure part ---------------------------------------------------- */

static uint8_t box[256];
static const uint8_t tmk[16] = {
	0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
	0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10,
};
static const uint8_t kdk[16] = { /* derives the journal's key, and does nothing else */
	0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
	0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
};
static uint8_t mak[16];
static unsigned long generation;

static unsigned times(unsigned a, unsigned b)
{
	unsigned product = 0;
	for (; b; b >>= 1, a = a & 0x80 ? a << 1 ^ 0x1f5 : a << 1)
		if (b & 1)
			product ^= a;
	return product;
}

static unsigned affine(unsigned x)
{
	unsigned y = 0, i, j, bit;
	for (i = 0; i < 8; i++) {
		unsigned row = (0xa7u << i | 0xa7u >> (8 - i)) & 0xff;
		for (bit = 0, j = 0; j < 8; j++)
			bit ^= (x & row) >> j & 1;
		y |= bit << i;
	}
	return y ^ 0xd3;
}

static void make_box(void)
{
	unsigned x, a, inverse;
	for (x = 0; x < 256; x++) {
		a = affine(x);
		for (inverse = 255; inverse && times(a, inverse) != 1; inverse--)
			;
		box[x] = (uint8_t)affine(inverse);
	}
}

static uint32_t rol(uint32_t x, int n) { return x << n | x >> (32 - n); }

static uint32_t tau(uint32_t x)
{
	return (uint32_t)box[x >> 24] << 24 | (uint32_t)box[x >> 16 & 255] << 16 |
	       (uint32_t)box[x >> 8 & 255] << 8 | box[x & 255];
}

static uint32_t word(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void sm4(const uint8_t key[16], const uint8_t in[16], uint8_t out[16], int decrypt)
{
	static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
	uint32_t k[36], x[36], t, ck;
	int i, j;
	for (i = 0; i < 4; i++) {
		k[i] = word(key + 4 * i) ^ fk[i];
		x[i] = word(in + 4 * i);
	}
	for (i = 0; i < 32; i++) {
		for (ck = 0, j = 0; j < 4; j++)
			ck = ck << 8 | (uint8_t)(7 * (4 * i + j));
		t = tau(k[i + 1] ^ k[i + 2] ^ k[i + 3] ^ ck);
		k[i + 4] = k[i] ^ t ^ rol(t, 13) ^ rol(t, 23);
	}
	for (i = 0; i < 32; i++) {
		t = tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ k[decrypt ? 35 - i : i + 4]);
		x[i + 4] = x[i] ^ t ^ rol(t, 2) ^ rol(t, 10) ^ rol(t, 18) ^ rol(t, 24);
	}
	for (i = 0; i < 16; i++)
		out[i] = (uint8_t)(x[35 - i / 4] >> (24 - 8 * (i % 4)));
}

static void to_hex(const uint8_t *in, size_t n, char *out)
{
	for (size_t i = 0; i < n; i++)
		sprintf(out + 2 * i, "%02X", in[i]);
}

static void make_mac(const uint8_t *data, size_t n, uint8_t mac[8])
{
	uint8_t folded[16] = {0}, block[16];
	char digits[33];
	size_t i;
	for (i = 0; i < n; i++)
		folded[i % 16] ^= data[i];
	to_hex(folded, 16, digits);
	sm4(mak, (const uint8_t *)digits, block, 0);
	for (i = 0; i < 16; i++)
		block[i] ^= (uint8_t)digits[16 + i];
	sm4(mak, block, block, 0);
	to_hex(block, 4, digits); /* the first 8 digits */
	memcpy(mac, digits, 8);
}

/* NULL, or the word for what is wrong. All keys or none. */
static const char *load(const uint8_t *blob, size_t n)
{
	static const uint8_t zeros[16];
	uint8_t key[3][16], check[16];
	size_t i, keys = n / 20;
	if (n != 40 && n != 60)
		return "blob";
	for (i = 0; i < keys; i++) {
		const uint8_t *part = blob + 20 * i;
		sm4(tmk, part, key[i], 1);
		sm4(key[i], zeros, check, 0);
		if (memcmp(check, part + 16, 4) != 0)
			return "check_value";
	}
	memcpy(mak, key[1], 16); /* PIK and TDK would go to the PIN pad */
	generation++;
	return NULL;
}

static void double_block(uint8_t k[16])
{
	int i, carry = k[0] >> 7;
	for (i = 0; i < 15; i++)
		k[i] = (uint8_t)(k[i] << 1 | k[i + 1] >> 7);
	k[15] = (uint8_t)(k[15] << 1 ^ 0x87 * carry);
}

static void cmac(const uint8_t key[16], const uint8_t *data, size_t n, uint8_t out[16])
{
	uint8_t subkey[16] = {0}, last[16] = {0};
	size_t i;
	sm4(key, subkey, subkey, 0);
	double_block(subkey);
	memset(out, 0, 16);
	for (; n > 16; n -= 16, data += 16) {
		for (i = 0; i < 16; i++)
			out[i] ^= data[i];
		sm4(key, out, out, 0);
	}
	memcpy(last, data, n);
	if (n < 16) {
		last[n] = 0x80;
		double_block(subkey);
	}
	for (i = 0; i < 16; i++)
		out[i] ^= last[i] ^ subkey[i];
	sm4(key, out, out, 0);
}

/* NIST SP 800-108 in counter mode; a module with another derivation is as good. */
static void derive(const uint8_t *data, size_t n, size_t length, uint8_t secret[64])
{
	static const char label[] = "reversald"; /* with the zero behind it */
	uint8_t text[4 + sizeof label + 256 + 4] = {0};
	size_t i, end = 4 + sizeof label + n;
	memcpy(text + 4, label, sizeof label);
	memcpy(text + 4 + sizeof label, data, n);
	text[end + 2] = (uint8_t)(length * 8 >> 8);
	text[end + 3] = (uint8_t)(length * 8);
	for (i = 0; i * 16 < length; i++) {
		text[3] = (uint8_t)(i + 1);
		cmac(kdk, text, end + 4, secret + 16 * i);
	}
}

/* ---- The protocol ------------------------------------------------------- */

/* The value of a string field, and its length. No value has a quote in it. */
static const char *field(const char *line, const char *name, size_t *n)
{
	char start[24];
	const char *at, *end;
	snprintf(start, sizeof start, "\"%s\":\"", name);
	*n = 0;
	if (!(at = strstr(line, start)))
		return NULL;
	at += strlen(start);
	if (!(end = strchr(at, '"')))
		return NULL;
	*n = (size_t)(end - at);
	return at;
}

static int is(const char *line, const char *name, const char *value)
{
	size_t n;
	const char *at = field(line, name, &n);
	return at && n == strlen(value) && memcmp(at, value, n) == 0;
}

/* How many bytes a field of hex digits has, -1 if it is none or does not fit. */
static int bytes(const char *line, const char *name, uint8_t *out, size_t max)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n, i;
	const char *high, *low, *at = field(line, name, &n);
	if (!at || n % 2 || n / 2 > max)
		return -1;
	for (i = 0; i < n / 2; i++) {
		if (!(high = strchr(digits, at[2 * i])) || !(low = strchr(digits, at[2 * i + 1])))
			return -1;
		out[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return (int)(n / 2);
}

static const char *mac_question(const char *line, char *more)
{
	static uint8_t data[DATA_MAX_BYTES];
	uint8_t mac[8], theirs[8], differ = 0;
	char hex[17];
	int n, i, length = 0;
	const char *at = strstr(line, "\"length\":");
	if (at)
		length = atoi(at + 9);
	if (!is(line, "alg", "unionpay-sm4"))
		return "algorithm";
	if (!is(line, "key", "mak") || generation == 0)
		return "no_key";
	if ((n = bytes(line, "data", data, sizeof data)) < 1 || length < 4 || length > 8)
		return "request";
	make_mac(data, (size_t)n, mac);
	if (is(line, "op", "sign")) {
		to_hex(mac, (size_t)length, hex);
		sprintf(more, ",\"mac\":\"%s\"", hex);
		return NULL;
	}
	if (bytes(line, "mac", theirs, sizeof theirs) != length)
		return "request";
	for (i = 0; i < length; i++) /* as long for any MAC, however wrong */
		differ |= mac[i] ^ theirs[i];
	sprintf(more, ",\"match\":%s", differ ? "false" : "true");
	return NULL;
}

static const char *derive_question(const char *line, char *more)
{
	uint8_t data[256], secret[64];
	char hex[129];
	int n, length = 0;
	const char *at = strstr(line, "\"length\":");
	if (at)
		length = atoi(at + 9);
	if (!is(line, "key", "kdk"))
		return "no_key";
	if ((n = bytes(line, "data", data, sizeof data)) < 1 || length < 16 || length > 64)
		return "request";
	derive(data, (size_t)n, (size_t)length, secret);
	to_hex(secret, (size_t)length, hex);
	sprintf(more, ",\"secret\":\"%s\"", hex);
	return NULL;
}

/* Answers a line; 0 ends the conversation. */
static int answer(const char *line, FILE *out, int *greeted)
{
	unsigned long long id = 0;
	uint8_t blob[60];
	char more[160] = "";
	const char *wrong = NULL;
	int n, go_on = 1;
	sscanf(line, "{\"id\":%llu", &id);
	if (is(line, "op", "hello")) {
		go_on = *greeted = strstr(line, "\"version\":1,") || strstr(line, "\"version\":1}");
		if (!go_on)
			wrong = "version";
		strcpy(more, ",\"version\":1");
	} else if (!*greeted) {
		wrong = "request";
		go_on = 0;
	} else if (is(line, "op", "sign") || is(line, "op", "verify")) {
		wrong = mac_question(line, more);
	} else if (is(line, "op", "load")) {
		if (strstr(line, "\"slot\":"))
			wrong = "no_key";
		else if ((n = bytes(line, "blob", blob, sizeof blob)) < 0)
			wrong = "blob";
		else
			wrong = load(blob, (size_t)n);
		sprintf(more, ",\"generation\":%lu", generation);
	} else if (is(line, "op", "derive")) {
		wrong = derive_question(line, more);
	} else if (is(line, "op", "info")) {
		sprintf(more, ",\"name\":\"sample in C\",\"generation\":%lu", generation);
	} else {
		wrong = "request";
	}
	if (wrong)
		fprintf(out, "{\"id\":%llu,\"ok\":false,\"error\":\"%s\"}\n", id, wrong);
	else
		fprintf(out, "{\"id\":%llu,\"ok\":true%s}\n", id, more);
	return fflush(out) == 0 && go_on;
}

static void converse(int fd)
{
	static char line[LINE_MAX_BYTES + 1];
	int greeted = 0;
	FILE *in = fdopen(fd, "r"), *out = fdopen(dup(fd), "w");
	if (in && out)
		/* A line without an end is too long, or the last half of one. */
		while (fgets(line, sizeof line, in) && strchr(line, '\n'))
			if (!answer(line, out, &greeted))
				break;
	if (in)
		fclose(in);
	if (out)
		fclose(out);
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, line;
	if (argc != 2 || strlen(argv[1]) >= sizeof at.sun_path) {
		fprintf(stderr, "usage: signer SOCKET\n");
		return 2;
	}
	strcpy(at.sun_path, argv[1]);
	signal(SIGPIPE, SIG_IGN);
	umask(0177); /* the socket is for our own user alone */
	unlink(argv[1]);
	make_box();
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof at) < 0 || listen(fd, 4) < 0) {
		perror("signer");
		return 1;
	}
	while ((line = accept(fd, NULL, NULL)) >= 0)
		converse(line);
	perror("signer");
	return 1;
}
