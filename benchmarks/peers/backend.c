/*
 * The server behind every proxy of a comparison: answers each HTTP/1.1 request without a body with the same bytes, as
 * fast as one thread can, so that the proxy in front of it is what is measured.
 *
 *   backend PORT BODY_BYTES
 *
 * It looks for the empty line that ends a head and for nothing else. Pipelined requests get as many answers. On SIGUSR1 it
 * prints how many requests it has seen.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_EVENTS 512
#define MAX_HEAD 65536

/* What a connection still has to send, and how much of "\r\n\r\n" it has seen. */
struct connection {
  int fd;
  int matched;
  long owed;      /* whole responses not begun */
  size_t written; /* bytes of the response under way */
};

static char *response;
static size_t response_length;
static int poller;
static long requests;
static volatile sig_atomic_t asked;

static void ask(int signal) {
  (void)signal;
  asked = 1;
}

static void make_response(size_t body) {
  char head[256];
  int head_length = snprintf(head, sizeof head,
                             "HTTP/1.1 200 OK\r\n"
                             "server: backend\r\n"
                             "content-type: application/octet-stream\r\n"
                             "content-length: %zu\r\n"
                             "\r\n",
                             body);
  response_length = (size_t)head_length + body;
  response = malloc(response_length);
  if (response == NULL) exit(1);
  memcpy(response, head, (size_t)head_length);
  memset(response + head_length, 'b', body);
}

static void drop(struct connection *c) {
  close(c->fd);
  free(c);
}

/* Sends what is owed. Returns 0 when the connection is gone. */
static int send_owed(struct connection *c) {
  while (c->owed > 0) {
    ssize_t n = send(c->fd, response + c->written, response_length - c->written, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EAGAIN) return 1;
      drop(c);
      return 0;
    }
    c->written += (size_t)n;
    if (c->written == response_length) {
      c->written = 0;
      c->owed--;
    }
  }
  return 1;
}

/* Counts the heads that end in these bytes. */
static void count_heads(struct connection *c, const char *bytes, ssize_t length) {
  static const char end[] = "\r\n\r\n";
  for (ssize_t i = 0; i < length; i++) {
    if (bytes[i] == end[c->matched]) {
      if (++c->matched == 4) {
        c->owed++;
        requests++;
        c->matched = 0;
      }
    } else {
      c->matched = bytes[i] == '\r' ? 1 : 0;
    }
  }
}

static void serve(struct connection *c) {
  static char buffer[MAX_HEAD];
  ssize_t n = recv(c->fd, buffer, sizeof buffer, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN)) {
    drop(c);
    return;
  }
  if (n > 0) count_heads(c, buffer, n);
  send_owed(c);
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
    /* Edge-triggered for writing: an event comes when there is room again. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
    epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
  }
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: backend PORT BODY_BYTES\n");
    return 2;
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  make_response((size_t)strtoul(argv[2], NULL, 10));
  struct sigaction on_ask = {.sa_handler = ask};
  sigaction(SIGUSR1, &on_ask, NULL);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)strtoul(argv[1], NULL, 10)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) {
    perror("backend");
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
