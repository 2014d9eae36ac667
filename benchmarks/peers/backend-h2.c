/*
 * The server behind every proxy of an HTTP/2 comparison: answers each request with the same bytes, as fast as one thread
 * can, so that the proxy in front of it is what is measured.
 *
 *   backend-h2 PORT http BODY_BYTES          a body of so many bytes
 *   backend-h2 PORT grpc MESSAGE_BYTES N     N gRPC messages of so many bytes, and grpc-status 0 in trailers
 *
 * Cleartext by prior knowledge. It never decodes a head: what is asked makes no difference. Fields of its own go into the
 * peer's table, where it has one, with the first response, as those of ordinary servers do. On SIGUSR1 it prints how many
 * requests it has seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_EVENTS 512
#define READ_BYTES 262144
#define FRAME_HEAD 9
#define MAX_FRAME 16384
#define PREFACE 24
#define TABLE_BYTES 4096
#define STREAM_WINDOW 1048576
#define CONNECTION_WINDOW 16777216
/* So much may wait for a peer that reads slowly; the rest is made when there is room. */
#define MAX_OUTPUT 1048576

enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, SETTINGS = 4, PING = 6, WINDOW_UPDATE = 8, CONTINUATION = 9 };
enum { HEADER_TABLE_SIZE = 1, INITIAL_WINDOW_SIZE = 4 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

struct stream {
  uint32_t id;
  int complete; /* the request has ended */
  int begun;    /* the response's head is out */
  int64_t window;
  size_t left;     /* bytes of the body still to send */
  size_t received; /* bytes of the request not yet given back to its window */
  struct stream *next;
};

struct connection {
  int fd;
  size_t preface; /* bytes of the preface seen */
  uint8_t head[FRAME_HEAD];
  size_t head_filled;
  uint32_t length; /* of the frame under way */
  uint32_t taken;
  uint8_t small[256]; /* payload of the frames that are looked at */
  int ends_after_headers; /* the stream ends when its head is complete */
  int64_t window;         /* what may be sent on the connection */
  int64_t initial_window;
  size_t received;
  int has_table; /* the peer keeps fields */
  int indexed_head, indexed_trailers;
  struct stream *streams;
  uint8_t *output;
  size_t output_start, output_end, output_size;
};

static uint8_t *body;
static size_t body_length;
static int is_grpc;
static int poller;
static long requests;
static volatile sig_atomic_t asked;

static void ask(int signal) {
  (void)signal;
  asked = 1;
}

static void make_body(size_t message, size_t count) {
  size_t one = message + (is_grpc ? 5 : 0);
  body_length = one * count;
  body = malloc(body_length + 1);
  if (body == NULL) exit(1);
  memset(body, 'b', body_length);
  for (size_t i = 0; is_grpc && i < count; i++) {
    uint8_t *at = body + i * one;
    at[0] = 0;
    at[1] = (uint8_t)(message >> 24);
    at[2] = (uint8_t)(message >> 16);
    at[3] = (uint8_t)(message >> 8);
    at[4] = (uint8_t)message;
  }
}

static void drop(struct connection *c) {
  close(c->fd);
  while (c->streams != NULL) {
    struct stream *next = c->streams->next;
    free(c->streams);
    c->streams = next;
  }
  free(c->output);
  free(c);
}

static void put(struct connection *c, const void *bytes, size_t length) {
  if (c->output_end + length > c->output_size) {
    size_t waiting = c->output_end - c->output_start;
    if (c->output_start > 0) {
      memmove(c->output, c->output + c->output_start, waiting);
      c->output_start = 0;
      c->output_end = waiting;
    }
    if (waiting + length > c->output_size) {
      c->output_size = (waiting + length) * 2;
      c->output = realloc(c->output, c->output_size);
      if (c->output == NULL) exit(1);
    }
  }
  memcpy(c->output + c->output_end, bytes, length);
  c->output_end += length;
}

static void put_frame(struct connection *c, size_t length, int type, int flags, uint32_t id) {
  uint8_t head[FRAME_HEAD] = {(uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length,
                              (uint8_t)type,           (uint8_t)flags,         (uint8_t)(id >> 24),
                              (uint8_t)(id >> 16),     (uint8_t)(id >> 8),     (uint8_t)id};
  put(c, head, sizeof head);
}

static void put_window_update(struct connection *c, uint32_t id, size_t bytes) {
  uint8_t payload[4] = {(uint8_t)(bytes >> 24), (uint8_t)(bytes >> 16), (uint8_t)(bytes >> 8), (uint8_t)bytes};
  put_frame(c, 4, WINDOW_UPDATE, 0, id);
  put(c, payload, 4);
}

/* A field as a literal (RFC 7541 §6.2.1, §6.2.2), for the table or not; `index` is its name's, 0 for one of its own. */
static size_t literal(uint8_t *at, int for_table, int index, const char *name, const char *value) {
  uint8_t *start = at;
  if (for_table || index < 15) {
    *at++ = (uint8_t)((for_table ? 0x40 : 0) | index);
  } else {
    *at++ = 15;
    *at++ = (uint8_t)(index - 15);
  }
  if (index == 0) {
    *at++ = (uint8_t)strlen(name);
    at += sprintf((char *)at, "%s", name);
  }
  *at++ = (uint8_t)strlen(value);
  at += sprintf((char *)at, "%s", value);
  return (size_t)(at - start);
}

/*
 * The peer's dynamic table holds, newest first: content-type, content-length (but for gRPC), server; in front of them, once
 * there were trailers, grpc-status.
 */
static void put_head(struct connection *c, uint32_t id) {
  uint8_t block[128];
  size_t length = 0;
  block[length++] = 0x88; /* :status 200 */
  int keep = c->has_table;
  if (!c->indexed_head) {
    char digits[24];
    sprintf(digits, "%zu", body_length);
    length += literal(block + length, keep, 54, NULL, "backend");
    if (!is_grpc) length += literal(block + length, keep, 28, NULL, digits);
    length += literal(block + length, keep, 31, NULL, is_grpc ? "application/grpc" : "application/octet-stream");
    c->indexed_head = keep;
  } else {
    int newest = c->indexed_trailers ? 63 : 62;
    for (int index = newest + (is_grpc ? 1 : 2); index >= newest; index--)
      block[length++] = (uint8_t)(0x80 | index);
  }
  put_frame(c, length, HEADERS, END_HEADERS, id);
  put(c, block, length);
}

static void put_trailers(struct connection *c, uint32_t id) {
  uint8_t block[64];
  size_t length;
  if (!c->indexed_trailers) {
    length = literal(block, c->has_table, 0, "grpc-status", "0");
    c->indexed_trailers = c->has_table;
  } else {
    block[0] = 0x80 | 62;
    length = 1;
  }
  put_frame(c, length, HEADERS, END_HEADERS | END_STREAM, id);
  put(c, block, length);
}

static struct stream *find(struct connection *c, uint32_t id) {
  for (struct stream *s = c->streams; s != NULL; s = s->next)
    if (s->id == id) return s;
  return NULL;
}

static void forget(struct connection *c, struct stream *gone) {
  struct stream **at = &c->streams;
  while (*at != gone) at = &(*at)->next;
  *at = gone->next;
  free(gone);
}

/* Makes as much of the response as the windows take. Returns 1 when all of it is made. */
static int respond(struct connection *c, struct stream *s) {
  if (!s->begun) {
    s->begun = 1;
    put_head(c, s->id);
  }
  while (s->left > 0 && c->output_end - c->output_start < MAX_OUTPUT) {
    int64_t room = s->window < c->window ? s->window : c->window;
    if (room <= 0) return 0;
    size_t length = s->left < MAX_FRAME ? s->left : MAX_FRAME;
    if ((int64_t)length > room) length = (size_t)room;
    int flags = length == s->left && !is_grpc ? END_STREAM : 0;
    put_frame(c, length, DATA, flags, s->id);
    put(c, body + body_length - s->left, length);
    s->left -= length;
    s->window -= (int64_t)length;
    c->window -= (int64_t)length;
  }
  if (s->left > 0) return 0;
  if (is_grpc) put_trailers(c, s->id);
  return 1;
}

/* Makes what can be made of all responses, and sends it. Returns 0 when the connection is gone. */
static int send_all(struct connection *c) {
  for (;;) {
    for (struct stream *s = c->streams, *next; s != NULL; s = next) {
      next = s->next;
      if (s->complete && respond(c, s)) forget(c, s);
    }
    size_t waiting = c->output_end - c->output_start;
    if (waiting == 0) return 1;
    ssize_t n = send(c->fd, c->output + c->output_start, waiting, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) return 1;
      drop(c);
      return 0;
    }
    c->output_start += (size_t)n;
    if (c->output_start == c->output_end) c->output_start = c->output_end = 0;
  }
}

static void request_complete(struct stream *s) {
  requests++;
  s->complete = 1;
}

static uint32_t number(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void settings(struct connection *c) {
  for (uint32_t at = 0; at + 6 <= c->length && at + 6 <= sizeof c->small; at += 6) {
    uint32_t value = number(c->small + at + 2);
    if (c->small[at + 1] == HEADER_TABLE_SIZE) c->has_table = value >= TABLE_BYTES;
    if (c->small[at + 1] != INITIAL_WINDOW_SIZE) continue;
    int64_t window = value;
    for (struct stream *s = c->streams; s != NULL; s = s->next) s->window += window - c->initial_window;
    c->initial_window = window;
  }
  put_frame(c, 0, SETTINGS, ACK, 0);
}

/* The frame's payload has come; of the kinds that are looked at it lies in `small`. */
static void frame_complete(struct connection *c) {
  int type = c->head[3], flags = c->head[4];
  uint32_t id = number(c->head + 5) & 0x7fffffff;
  struct stream *s = id == 0 ? NULL : find(c, id);
  switch (type) {
    case HEADERS:
      if (s == NULL) {
        s = calloc(1, sizeof *s);
        if (s == NULL) exit(1);
        *s = (struct stream){.id = id, .window = c->initial_window, .left = body_length, .next = c->streams};
        c->streams = s;
      }
      c->ends_after_headers = flags & END_STREAM;
      /* fall through */
    case CONTINUATION:
      if (s != NULL && (flags & END_HEADERS) && c->ends_after_headers) request_complete(s);
      break;
    case DATA:
      c->received += c->length;
      if (c->received > CONNECTION_WINDOW / 2) {
        put_window_update(c, 0, c->received);
        c->received = 0;
      }
      if (s == NULL) break;
      s->received += c->length;
      if (flags & END_STREAM) {
        request_complete(s);
      } else if (s->received > STREAM_WINDOW / 2) {
        put_window_update(c, id, s->received);
        s->received = 0;
      }
      break;
    case RST_STREAM:
      if (s != NULL) forget(c, s);
      break;
    case SETTINGS:
      if (!(flags & ACK)) settings(c);
      break;
    case PING:
      if (flags & ACK) break;
      put_frame(c, 8, PING, ACK, 0);
      put(c, c->small, 8);
      break;
    case WINDOW_UPDATE:
      if (id == 0)
        c->window += number(c->small);
      else if (s != NULL)
        s->window += number(c->small);
      break;
    default:
      break;
  }
}

static void take(struct connection *c, const uint8_t *bytes, size_t length) {
  size_t at = 0;
  while (at < length) {
    if (c->preface < PREFACE) {
      size_t rest = PREFACE - c->preface;
      size_t n = length - at < rest ? length - at : rest;
      c->preface += n;
      at += n;
      continue;
    }
    if (c->head_filled < FRAME_HEAD) {
      c->head[c->head_filled++] = bytes[at++];
      if (c->head_filled < FRAME_HEAD) continue;
      c->length = (uint32_t)c->head[0] << 16 | (uint32_t)c->head[1] << 8 | c->head[2];
      c->taken = 0;
    }
    size_t rest = c->length - c->taken;
    size_t n = length - at < rest ? length - at : rest;
    if (c->taken < sizeof c->small && c->head[3] != DATA) {
      size_t room = sizeof c->small - c->taken;
      memcpy(c->small + c->taken, bytes + at, n < room ? n : room);
    }
    c->taken += (uint32_t)n;
    at += n;
    if (c->taken < c->length) continue;
    c->head_filled = 0;
    frame_complete(c);
  }
}

static void serve(struct connection *c) {
  static uint8_t buffer[READ_BYTES];
  for (;;) {
    ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
      drop(c);
      return;
    }
    if (n > 0) take(c, buffer, (size_t)n);
    if (n < (ssize_t)sizeof buffer) break;
  }
  send_all(c);
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct connection *c = calloc(1, sizeof *c);
    if (c == NULL) exit(1);
    c->fd = fd;
    c->window = c->initial_window = 65535;
    c->has_table = 1;
    /* Any number of streams, a window of STREAM_WINDOW for each. */
    static const uint8_t ours[] = {0, INITIAL_WINDOW_SIZE, 0, STREAM_WINDOW >> 16, 0, 0};
    put_frame(c, sizeof ours, SETTINGS, 0, 0);
    put(c, ours, sizeof ours);
    put_window_update(c, 0, CONNECTION_WINDOW - 65535);
    /* Edge-triggered for writing: an event comes when there is room again. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  is_grpc = argc == 5 && strcmp(argv[2], "grpc") == 0;
  if (!is_grpc && !(argc == 4 && strcmp(argv[2], "http") == 0)) {
    fprintf(stderr, "usage: backend-h2 PORT http BODY_BYTES | backend-h2 PORT grpc MESSAGE_BYTES MESSAGES\n");
    return 2;
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  make_body(strtoul(argv[3], NULL, 10), is_grpc ? strtoul(argv[4], NULL, 10) : 1);
  struct sigaction on_ask = {.sa_handler = ask};
  sigaction(SIGUSR1, &on_ask, NULL);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
    perror("backend-h2");
    return 1;
  }
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);

  static struct epoll_event events[MAX_EVENTS];
  for (;;) {
    int ready = epoll_wait(poller, events, MAX_EVENTS, -1);
    if (asked) {
      asked = 0;
      printf("requests %ld\n", requests);
      fflush(stdout);
    }
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (c == NULL)
        accept_all(listener);
      else
        serve(c);
    }
  }
}
