/*
 * What relay.ts does, in C: listens at a port of this machine, says so, and passes
 * on bytes between one client and another port of it. Without that, it sends back
 * what it gets.
 *
 *     relay PORT [TO]
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct sockaddr_in at(const char *port) {
  return (struct sockaddr_in){
      .sin_family = AF_INET,
      .sin_port = htons(atoi(port)),
      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
  };
}

static int pass(int from, int to) {
  char bytes[65536];
  ssize_t length = read(from, bytes, sizeof bytes);
  return length > 0 && write(to, bytes, length) == length;
}

int main(int count, char **args) {
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in here = at(args[1]);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (void *)&here, sizeof here) || listen(listener, 1)) {
    perror("relay");
    return 1;
  }
  puts("listening");
  fflush(stdout);
  int near = accept(listener, NULL, NULL), far = near;
  setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (count > 2) {
    struct sockaddr_in there = at(args[2]);
    far = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(far, (void *)&there, sizeof there)) {
      perror("relay");
      return 1;
    }
    setsockopt(far, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  struct pollfd ends[] = {{near, POLLIN, 0}, {far, POLLIN, 0}};
  for (;;) {
    poll(ends, far == near ? 1 : 2, -1);
    if (ends[0].revents && !pass(near, far)) return 0;
    if (ends[1].revents && !pass(far, near)) return 0;
  }
}
