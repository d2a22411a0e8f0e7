/*
 * sell.c: a card sale through reversald, for payment apps in C. One file, POSIX only.
 *
 *   cc -std=c99 -Wall -o sell sell.c
 *   ./sell SOCKET KEY AMOUNT TERMINAL          e.g. ./sell /run/reversald.sock order-7-1 1234 TERM0001
 *
 * What it shows:
 *   - KEY names the payment for ever. When the answer is lost, or the daemon is away, it asks again
 *     with the same key: nothing is sent twice, and the answer is that of the first time.
 *   - The sale stays only when it is confirmed. Here the receipt would be printed in between.
 *
 * Exit: 0 sold and confirmed; 1 declined or not sent, nothing is charged; 2 not known, it is being
 * reversed: no second swipe, no refund; 3 used wrongly.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX 65536
#define PATIENCE_S 90 /* longer than the host's and the daemon's own patience together */

/* ask sends one request and reads the whole answer. It gives the HTTP status, or 0 when nobody
 * answers or the answer is cut off: then nobody knows, and the caller asks again. */
static int ask(const char *socket_path, const char *method, const char *path, const char *key,
               const char *body, char *answer)
{
	struct sockaddr_un to;
	struct timeval patience = {PATIENCE_S, 0};
	char head[1024];
	size_t have = 0;
	int status = 0, fd, n;
	char *text, *length;

	memset(&to, 0, sizeof to);
	to.sun_family = AF_UNIX;
	if (strlen(socket_path) >= sizeof to.sun_path)
		return 0;
	strcpy(to.sun_path, socket_path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0)
		return 0;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	n = snprintf(head, sizeof head,
	             "%s %s HTTP/1.1\r\nHost: reversald\r\nConnection: close\r\n"
	             "Content-Type: application/json\r\n%s%s%sContent-Length: %zu\r\n\r\n",
	             method, path, *key ? "Idempotency-Key: " : "", key, *key ? "\r\n" : "",
	             strlen(body));
	if (n < 0 || (size_t)n >= sizeof head || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    write(fd, head, (size_t)n) != n ||
	    write(fd, body, strlen(body)) != (ssize_t)strlen(body)) {
		close(fd);
		return 0;
	}
	for (;;) {
		ssize_t got = read(fd, answer + have, ANSWER_MAX - 1 - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	close(fd);
	answer[have] = '\0';
	text = strstr(answer, "\r\n\r\n");
	length = strstr(answer, "Content-Length: ");
	if (!text || sscanf(answer, "HTTP/1.1 %d", &status) != 1)
		return 0;
	text += 4;
	if (length && length < text && strlen(text) < strtoul(length + 16, NULL, 10))
		return 0; /* cut off */
	memmove(answer, text, strlen(text) + 1);
	return status;
}

/* text copies the value of a member of the answer's object: good enough for answers of reversald,
 * whose names come once. */
static const char *text(const char *json, const char *name, char *into, size_t room)
{
	char quoted[64];
	const char *at;
	size_t n = 0;

	snprintf(quoted, sizeof quoted, "\"%s\":", name);
	at = strstr(json, quoted);
	if (at) {
		at += strlen(quoted);
		if (*at == '"')
			at++;
		while (at[n] && at[n] != '"' && at[n] != ',' && at[n] != '}' && n + 1 < room) {
			into[n] = at[n];
			n++;
		}
	}
	into[n] = '\0';
	return into;
}

int main(int argc, char **argv)
{
	static char answer[ANSWER_MAX];
	char body[512], path[64], id[32], outcome[32], words[256];
	struct timespec pause = {1, 0};
	time_t end = time(NULL) + PATIENCE_S;
	int status;

	if (argc != 5) {
		fprintf(stderr, "usage: sell SOCKET KEY AMOUNT TERMINAL\n");
		return 3;
	}
	signal(SIGPIPE, SIG_IGN);
	snprintf(body, sizeof body,
	         "{\"amount\":%ld,\"currency\":\"156\",\"pan\":\"4111111111111111\",\"expiry\":\"3012\","
	         "\"entry_mode\":\"012\",\"condition_code\":\"00\",\"terminal\":\"%s\","
	         "\"merchant\":\"MERCHANT0000001\",\"reference\":\"%s\"}",
	         strtol(argv[3], NULL, 10), argv[4], argv[2]);
	while ((status = ask(argv[1], "POST", "/v1/payments", argv[2], body, answer)) == 0 ||
	       (status == 503 && strstr(answer, "problem:stopping"))) {
		if (time(NULL) > end) {
			printf("unknown: nobody answers; ask again later with the same key\n");
			return 2;
		}
		printf("no answer, asking again with the same key\n");
		nanosleep(&pause, NULL);
	}
	text(answer, "outcome", outcome, sizeof outcome);
	text(answer, "text", words, sizeof words);
	text(answer, "id", id, sizeof id);
	printf("%s: %s\n", *outcome ? outcome : "refused", words);
	if (strcmp(outcome, "declined") == 0 || strcmp(outcome, "not_sent") == 0 ||
	    strcmp(outcome, "reversed") == 0)
		return 1;
	if (strcmp(outcome, "approved") != 0)
		return status >= 400 && status < 500 ? 3 : 2;

	/* Here the card finishes and the receipt is printed. What fails now is cancelled:
	 * POST /v1/payments/ID/cancel. A crash is as good: what is not confirmed is reversed. */

	snprintf(path, sizeof path, "/v1/payments/%s/confirm", id);
	while ((status = ask(argv[1], "POST", path, "", "", answer)) == 0 || status == 503) {
		if (time(NULL) > end) {
			printf("not confirmed: it is reversed\n");
			return 2;
		}
		printf("no answer, confirming again\n");
		nanosleep(&pause, NULL);
	}
	text(answer, "phase", words, sizeof words);
	printf("%s\n", status == 200 ? words : "not confirmed, it was taken back");
	return status == 200 ? 0 : 2;
}
