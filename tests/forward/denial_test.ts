import assert from "node:assert/strict";
import { I2ptunError } from "../../src/errors.ts";
import { denialOf } from "../../src/forward/denial.ts";
import { openFailure } from "../../src/ssh/channel.ts";

/** RFC 4254 §5.1. */
const [PROHIBITED, CONNECT_FAILED, UNKNOWN_TYPE, NO_RESOURCES] = [1, 2, 3, 4];

Deno.test("what the server says of a target becomes a proxy's reason", () => {
  for (
    const [reason, description, kind] of [
      // as strerror(3) and gai_strerror(3) have it
      [CONNECT_FAILED, "Connection refused", "refused"],
      [CONNECT_FAILED, "Network is unreachable", "no-network"],
      [CONNECT_FAILED, "No route to host", "no-host"],
      [CONNECT_FAILED, "Name or service not known", "no-host"],
      [CONNECT_FAILED, "Temporary failure in name resolution", "no-host"],
      [CONNECT_FAILED, "Connection timed out", "timed-out"],
      // as sshd says when connect(2) fails at once
      [CONNECT_FAILED, "open failed", "failed"],
      [CONNECT_FAILED, "", "failed"],
      [PROHIBITED, "open failed", "forbidden"],
      [UNKNOWN_TYPE, "unknown channel type", "failed"],
      [NO_RESOURCES, "", "failed"],
      [99, "Connection refused", "refused"],
    ] as const
  ) {
    // the target's name is no reason
    const host = "no-network-refused.i2p";
    const error = openFailure(reason, description, `${host}:80`);
    assert.equal(denialOf(error, host).kind, kind, `${reason} ${description}`);
  }
});

Deno.test("a target that is not reached from here has its reason, too", () => {
  for (
    const [message, kind] of [
      [
        "timed-out.i2p:80: the server has not reached it within 10 s",
        "timed-out",
      ],
      ["timed-out.i2p:80: Connection refused", "refused"],
      ["timed-out.i2p:80: something else", "failed"],
    ] as const
  ) {
    const error = new I2ptunError("forward", message);
    assert.equal(denialOf(error, "timed-out.i2p").kind, kind, message);
  }
});

Deno.test("each reason for not opening a channel has its words", () => {
  const said = (reason: number, description: string) =>
    openFailure(reason, description, "a.i2p:80").message;
  assert.deepEqual(
    [
      said(PROHIBITED, "open failed"),
      said(CONNECT_FAILED, "Connection refused"),
      said(CONNECT_FAILED, "Name or service not known"),
      openFailure(CONNECT_FAILED, "open failed", "/run/a").message,
      said(UNKNOWN_TYPE, "unknown channel type"),
      said(NO_RESOURCES, ""),
      said(99, "no"),
    ],
    [
      "a.i2p:80: the server forbids it (open failed)",
      "a.i2p:80: nothing answers there (Connection refused)",
      "a.i2p:80: the server cannot find its address (Name or service not known)",
      "/run/a: the server cannot connect to that socket (open failed)",
      "a.i2p:80: the server does not know this kind of channel (unknown channel type)",
      "a.i2p:80: the server has no resources left",
      "a.i2p:80: the server does not open it (no)",
    ],
  );
});
