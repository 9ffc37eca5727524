import assert from "node:assert/strict";
import {
  showWatched,
  sparkline,
  TrafficHistory,
  watchedLine,
} from "../../src/cli/watch_view.ts";
import type { TunnelStatus } from "../../src/tunnel/status.ts";

function status(sent: number, received: number, open = 1): TunnelStatus {
  return {
    name: "home",
    state: "up",
    pid: 4242,
    server: "i2p@example.org:22",
    since: "2026-11-21T10:00:00Z",
    reconnects: 2,
    lastError: "it was reset",
    forwards: [{
      name: "console",
      kind: "local",
      service: "console",
      listen: ["127.0.0.1:7657"],
      target: "127.0.0.1:7657",
      connections: { open, total: 12 },
      bytes: { sent, received },
    }],
  };
}

Deno.test("a sparkline shows the newest values, the highest full", () => {
  assert.equal(sparkline([0, 1, 2, 4, 7], 10), "▁▂▃▅█");
  assert.equal(sparkline([100, 0, 7, 7], 2), "██");
  assert.equal(sparkline([0, 0, 0], 10), "▁▁▁");
  assert.equal(sparkline([1, 2], 0), "");
  assert.equal(sparkline([], 10), "");
});

Deno.test("rates are by the time between two looks", () => {
  const history = new TrafficHistory();
  history.add(status(1000, 0), 0);
  assert.deepEqual(history.of("home", "console"), []);
  history.add(status(3000, 500), 2000);
  assert.deepEqual(history.of("home", "console"), [
    { sent: 1000, received: 250 },
  ]);
  // started anew
  history.add(status(10, 0), 3000);
  assert.deepEqual(history.of("home", "console").at(-1), {
    sent: 0,
    received: 0,
  });
  for (let i = 4; i < 200; i++) history.add(status(i, 0), i * 1000);
  assert.equal(history.of("home", "console").length, 60);
});

Deno.test("a watched tunnel fits its terminal", () => {
  const history = new TrafficHistory();
  for (let i = 0; i < 100; i++) history.add(status(i * i, 0), i * 1000);
  const now = new Date("2026-11-21T12:05:00Z");
  for (const columns of [200, 100, 90]) {
    const [head, line] = showWatched(status(0, 0), history, now, columns);
    assert.match(head!, /^home {2}● up {2}for 2 h 5 min .* 2 reconnects$/);
    assert.match(
      line!,
      /^ {2}console {2}http:\/\/127.0.0.1:7657\/ {2}1 open {4}↑ 197 B\/s .*↓ 0 B\/s .*█$/,
    );
    assert(line!.length < columns, `${line!.length}`);
  }
  const [, narrow] = showWatched(status(0, 0), history, now, 40);
  assert.doesNotMatch(narrow!, /█/);
});

Deno.test("a watched tunnel in a line", () => {
  const history = new TrafficHistory();
  history.add(status(0, 0), 0);
  history.add(status(5000, 1_500_000), 1000);
  const up = status(5000, 1_500_000, 3);
  assert.equal(
    watchedLine(up, history),
    "home up, 3 open, ↑ 5.0 kB/s, ↓ 1.5 MB/s, 2 reconnects",
  );
  assert.equal(
    watchedLine({ ...up, state: "failed", pid: null }, history),
    "home failed, it was reset",
  );
});
